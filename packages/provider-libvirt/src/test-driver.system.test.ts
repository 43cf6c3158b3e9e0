import { missingLibvirtd, startLibvirtd } from "@peerpods/libvirt-stand-in";
import {
  defineConformanceTests,
  runSeededFaults,
  saveReportTo,
  type ConformanceTarget,
} from "@peerpods/cloud-providers/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namesOfId } from "./identity.ts";
import { ACT_GRACE_MS } from "./virsh/connection.ts";
import { runProgram } from "./virsh/run.ts";
import { DrivenClock } from "./testing/driven-clock.ts";
import { createFaultyRun } from "./testing/faulty-run.ts";
import { createTarget, type PreparedSite } from "./testing/target.ts";
import { fillTestDriver } from "./testing/test-driver.ts";

const missing = await missingLibvirtd();
const soak = process.env["PEERPODS_SOAK"] === "1";

/** Everything but boots: libvirt's own test driver, in a libvirtd of ours, with faults at each command of virsh. */
async function open(): Promise<{
  readonly target: ConformanceTarget;
  readonly dispose: () => Promise<void>;
}> {
  await using parts = new AsyncDisposableStack();
  const libvirtd = parts.use(await startLibvirtd());
  const driver = fillTestDriver(runProgram);
  const faulty = createFaultyRun(driver.run);
  const clock = new DrivenClock(faulty.busy);
  const prepared: PreparedSite = parts.use(
    await createTarget({
      libvirtd,
      uri: libvirtd.testUri,
      pool: "default-pool",
      network: "default",
      env: { LIBVIRT_BOOT_FIRMWARE: "bios", LIBVIRT_DOMAIN_TYPE: "qemu" },
      run: faulty.run,
      clock,
      cloudInit: (id) =>
        Promise.resolve(driver.uploads.get(namesOfId(id).cloudInitVolume) ?? Buffer.alloc(0)),
    }),
  );
  const kept = parts.move();
  const target: ConformanceTarget = {
    ...prepared.target,
    drive: (rule) => clock.drive(rule),
    undoMs: ACT_GRACE_MS + 2_000,
    faults: faulty.faults,
  };
  return { target, dispose: () => kept.disposeAsync() };
}

describe.skipIf(missing !== undefined)(
  `libvirt's test driver${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    defineConformanceTests({ afterAll, beforeAll, describe, it }, open, {
      timeoutMs: 900_000,
      onReport: saveReportTo(process.env["PEERPODS_CONFORMANCE_DIR"]),
    });

    describe("seeded faults", () => {
      let opened: Awaited<ReturnType<typeof open>>;
      beforeAll(async () => {
        opened = await open();
      });
      afterAll(() => opened.dispose());

      const runs = soak ? 500 : 10;
      it(
        `${runs} lives of instances under faults leave nothing`,
        { timeout: soak ? 7_200_000 : 600_000 },
        async () => {
          const result = await runSeededFaults(opened.target, { runs, seed: 11 });
          expect(result).toEqual({ done: runs, failures: [] });
        },
      );
    });
  },
);
