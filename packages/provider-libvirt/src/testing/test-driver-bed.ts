import type { Provider } from "@peerpods/cloud-providers";
import type { ConformanceTarget } from "@peerpods/cloud-providers/conformance";
import { DrivenClock } from "@peerpods/cloud-providers/testing";
import { namesOfId } from "../identity.ts";
import { ACT_GRACE_MS } from "../virsh/connection.ts";
import { runProgram } from "../virsh/run.ts";
import { createFaultyRun } from "./faulty-run.ts";
import { createTarget } from "./target.ts";
import { fillTestDriver } from "./test-driver.ts";
import { keepVirsh } from "./virsh-shell.ts";

/** Everything but boots: libvirt's own test driver, in a virsh of ours, with faults at each command. */
export interface TestDriverBed extends AsyncDisposable {
  readonly target: ConformanceTarget;
  /** A connection with options beside the target's, as environment. */
  connect(env?: Readonly<Record<string, string>>): Promise<Provider>;
  /** Moves the clock on until it has settled. */
  drive<T>(promise: Promise<T>): Promise<T>;
  /** Commands of virsh since the start, in their order. */
  readonly commands: readonly string[];
}

const programs = [
  ["virsh", "libvirt-clients"],
  ["isoinfo", "genisoimage"],
] as const;
const uri = "test:///default";

/** Why it cannot be opened here, or `undefined` when it can. Fits vitest's `skip` notes. */
export async function missingForTestDriver(): Promise<string | undefined> {
  const missing = [];
  for (const [program, debianPackage] of programs) {
    const { failure } = await runProgram(program, ["--version"], {
      signal: AbortSignal.timeout(60_000),
      timeoutMs: 60_000,
      env: { PATH: process.env["PATH"] ?? "" },
    });
    if (failure?.kind === "missing") missing.push(debianPackage);
  }
  return missing.length === 0 ? undefined : `needs packages: apt-get install ${missing.join(" ")}`;
}

/** What the reference asks `libvirt.so` for one creation and its deletion, with a root and a cloud-init volume. */
const reference = [
  ...["domain by name", "base volume", "its description"],
  ...["pool refresh", "root volume", "pool refresh", "cloud-init volume", "upload"],
  ...["define", "start", "addresses"],
  ...["domain", "state", "destroy", "description"],
  ...["volume path", "pool refresh", "volume delete", "volume path", "pool refresh", "volume delete"],
  "undefine",
];

export async function openTestDriver(): Promise<TestDriverBed> {
  await using parts = new AsyncDisposableStack();
  const virsh = parts.use(keepVirsh(uri, runProgram));
  const driver = fillTestDriver(virsh.run);
  // Files and directories that are read, written or closed are requests of Node.
  const clock = new DrivenClock(() => process.getActiveResourcesInfo().some((name) => name.includes("Req")));
  const faulty = createFaultyRun(driver.run, clock);
  const site = parts.use(
    await createTarget({
      uri,
      pool: "default-pool",
      network: "default",
      env: { LIBVIRT_BOOT_FIRMWARE: "bios", LIBVIRT_DOMAIN_TYPE: "qemu" },
      run: faulty.run,
      ask: virsh.ask,
      clock,
      hold: (work) => clock.hold(work),
      cloudInit: (id) =>
        Promise.resolve(driver.uploads.get(namesOfId(id).cloudInitVolume) ?? Buffer.alloc(0)),
    }),
  );
  const kept = parts.move();
  return {
    target: {
      ...site.target,
      drive: (rule) => clock.runUntil(rule),
      undoMs: ACT_GRACE_MS + 2_000,
      faults: faulty.faults,
      apiCalls: { seen: () => faulty.commands, reference },
    },
    connect: (env) => site.connect(env),
    drive: (promise) => clock.runUntil(promise),
    commands: faulty.commands,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
