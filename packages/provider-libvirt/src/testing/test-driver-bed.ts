import type { Provider } from "@peerpods/cloud-providers";
import type { ConformanceTarget } from "@peerpods/cloud-providers/conformance";
import { startLibvirtd } from "@peerpods/libvirt-stand-in";
import { namesOfId } from "../identity.ts";
import { ACT_GRACE_MS } from "../virsh/connection.ts";
import { runProgram } from "../virsh/run.ts";
import { DrivenClock } from "./driven-clock.ts";
import { createFaultyRun } from "./faulty-run.ts";
import { createTarget } from "./target.ts";
import { fillTestDriver } from "./test-driver.ts";

/** Everything but boots: libvirt's own test driver, in a libvirtd of ours, with faults at each command of virsh. */
export interface TestDriverBed extends AsyncDisposable {
  readonly target: ConformanceTarget;
  /** A connection with options beside the target's, as environment. */
  connect(env?: Readonly<Record<string, string>>): Promise<Provider>;
  /** Moves the clock on until it has settled. */
  drive<T>(promise: Promise<T>): Promise<T>;
  /** Commands of virsh since the start, in their order. */
  readonly commands: readonly string[];
}

export async function openTestDriver(): Promise<TestDriverBed> {
  await using parts = new AsyncDisposableStack();
  const libvirtd = parts.use(await startLibvirtd());
  const driver = fillTestDriver(runProgram);
  const faulty = createFaultyRun(driver.run);
  const clock = new DrivenClock(faulty.busy);
  const site = parts.use(
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
  return {
    target: {
      ...site.target,
      drive: (rule) => clock.drive(rule),
      undoMs: ACT_GRACE_MS + 2_000,
      faults: faulty.faults,
    },
    connect: (env) => site.connect(env),
    drive: (promise) => clock.drive(promise),
    commands: faulty.commands,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
