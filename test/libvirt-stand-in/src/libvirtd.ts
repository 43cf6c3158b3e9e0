import { randomUUID } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import { execa } from "execa";
import { plugIn, type Cable } from "./cable.ts";
import { guestKernel } from "./small-guest.ts";
import { libvirtdConf, qemuConf, startScript } from "./start-script.ts";

/** A libvirtd of a test's own: its files, processes, bridges and rules are its own, and end with it. */
export interface Libvirtd extends AsyncDisposable {
  /** `qemu:///system`, with emulation only. */
  readonly qemuUri: string;
  /** `test:///default` inside that libvirtd, so that its state is one for all processes and lasts. */
  readonly testUri: string;
  /** A storage pool of type `dir` of the QEMU driver, and its directory. */
  readonly pool: string;
  readonly poolDirectory: string;
  /** A network of the QEMU driver with DHCP, whose guests this machine reaches. */
  readonly network: string;
  /** Runs virsh, with a file that holds the document as last argument, and throws when it fails. @returns what it printed. */
  virsh(uri: string, args: readonly string[], document?: string): Promise<string>;
}

const programs = [
  "libvirtd",
  "virsh",
  "tini",
  "unshare",
  "setpriv",
  "dnsmasq",
  "qemu-system-x86_64",
  "ip",
] as const;
const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const PACKAGES =
  "libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 dnsmasq-base tini iproute2";

/** Why libvirtd and its guests cannot run here, or `undefined` when it can. Fits vitest's `skip` notes. */
export async function missingLibvirtd(): Promise<string | undefined> {
  if (process.arch !== "x64") return "its guests are x86_64 machines with this machine's programs";
  if (process.geteuid?.() !== 0) return "needs root: libvirtd runs in namespaces of its own";
  const missing = [];
  for (const program of programs) if ((await find(program)) === undefined) missing.push(program);
  if (missing.length > 0)
    return `needs ${missing.join(", ")}: apt-get install --no-install-recommends ${PACKAGES}`;
  const { exitCode } = await execa("apt-cache", ["show", guestKernel], { reject: false });
  return exitCode === 0 ? undefined : `needs Debian's ${guestKernel} for its guests: apt-get update`;
}

/** Starts it with an active pool and network; takes 4 to 15 s, mostly for asking QEMU what it can do. */
export async function startLibvirtd(): Promise<Libvirtd> {
  // A Unix socket's path is short, so neither TMPDIR nor the cache will do.
  const directory = await mkdtemp("/tmp/pplv-");
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const cable = await plugIn(directory.slice(-6));
  await writeConfiguration(directory);
  const log = join(directory, "libvirtd.log");
  const daemon = await startProcess("setpriv", namespaced(directory, cable), { logFile: log });
  // The first process ignores SIGTERM; with its end the kernel ends everything in the namespaces.
  cleanup.defer(() => daemon.stop({ graceMs: 0 }));
  await cable.connect(await childOf(daemon));
  const virsh = makeVirsh(directory);
  const socket = join(directory, "run", "libvirt-sock");
  const qemuUri = `qemu:///system?socket=${socket}`;
  const testUri = `test+unix:///default?socket=${socket}`;
  await whileRunning(
    daemon,
    log,
    until("libvirtd answers", () => virsh(qemuUri, ["version"]), { timeoutMs: 120_000 }),
  );
  const poolDirectory = join(directory, "pool");
  await mkdir(poolDirectory);
  await virsh(qemuUri, ["pool-define-as", "peerpods", "dir", "--target", poolDirectory]);
  await virsh(qemuUri, ["pool-start", "peerpods"]);
  await virsh(qemuUri, ["net-define"], networkXml(cable));
  await virsh(qemuUri, ["net-start", "peerpods"]);
  // The test driver forgets everything when nobody is connected.
  const holder = await startProcess("virsh", ["-c", testUri, "event", "--loop", "--event", "lifecycle"], {
    logFile: log,
  });
  cleanup.defer(() => holder.stop({ graceMs: 1_000 }));
  const parts = cleanup.move();
  return {
    qemuUri,
    testUri,
    pool: "peerpods",
    poolDirectory,
    network: "peerpods",
    virsh,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** If this process is killed, so is libvirtd with all its guests. */
function namespaced(directory: string, { inside, outside }: Cable): string[] {
  const unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"];
  // QEMU's probes are orphaned; without someone who reaps them libvirtd waits for each.
  return [
    "--pdeathsig",
    "KILL",
    ...unshare,
    "tini",
    "--",
    "sh",
    "-c",
    startScript,
    "sh",
    directory,
    inside,
    outside,
  ];
}

async function writeConfiguration(directory: string): Promise<void> {
  const etc = join(directory, "etc");
  await mkdir(etc);
  await writeFile(join(etc, "qemu.conf"), qemuConf);
  await writeFile(join(etc, "libvirtd.conf"), libvirtdConf);
}

async function childOf({ pid }: RunningProcess): Promise<number> {
  return await until("the namespaces are there", async () => {
    const [child = ""] = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ");
    return child === "" ? undefined : Number(child);
  });
}

async function whileRunning<T>(daemon: RunningProcess, log: string, awaited: Promise<T>): Promise<T> {
  const ended = daemon.ended.then(async () => {
    throw new Error(`libvirtd ended: ${(await readFile(log, "utf8")).slice(-2_000)}`);
  });
  return await Promise.race([awaited, ended]);
}

/** Mode `open`: libvirt leaves the firewall alone, which in these namespaces is empty. */
function networkXml({ subnet }: Cable): string {
  return `<network><name>peerpods</name><forward mode='open'/><bridge name='virbr0' stp='off' delay='0'/>
<ip address='${subnet}.1' netmask='255.255.255.0'><dhcp><range start='${subnet}.2' end='${subnet}.254'/></dhcp></ip></network>`;
}

function makeVirsh(directory: string): Libvirtd["virsh"] {
  return async (uri, args, document) => {
    const file = join(directory, `document-${randomUUID()}.xml`);
    if (document !== undefined) await writeFile(file, document);
    const all = ["--quiet", "--connect", uri, ...args, ...(document === undefined ? [] : [file])];
    const { stdout } = await execa("virsh", all, { stdin: "ignore", timeout: 120_000, env: { LC_ALL: "C" } });
    return stdout;
  };
}

async function find(program: string): Promise<string | undefined> {
  for (const directory of searchPath) {
    const path = join(directory, program);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}
