import { mkdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startProcess, until } from "@peerpods/test-harness";
import { execa } from "execa";
import {
  containerdConfiguration,
  kataConfiguration,
  layOutPodNetwork,
  type PodNetwork,
} from "./containerd-config.ts";

/** Path of the real kata shim for the tests: `$PEERPODS_KATA_SHIM`, else the one that is in PATH. */
export async function findKataShim(): Promise<string | undefined> {
  const given = process.env["PEERPODS_KATA_SHIM"];
  if (given !== undefined) return given;
  const { stdout } = await execa("sh", ["-c", "command -v containerd-shim-kata-v2"], { reject: false });
  return stdout === "" ? undefined : stdout;
}

/** Path of a real kata-agent for the tests: `$PEERPODS_KATA_AGENT`. */
export function findKataAgent(): string | undefined {
  return process.env["PEERPODS_KATA_AGENT"];
}

/** Why containers cannot be run with the real shim here, or `undefined`. */
export async function missingShim(): Promise<string | undefined> {
  if ((await findKataShim()) === undefined)
    return "needs the real kata shim: set PEERPODS_KATA_SHIM to a containerd-shim-kata-v2";
  const { exitCode } = await execa("sh", ["-c", 'command -v "$1" "$2"', "sh", ...programs], {
    reject: false,
  });
  return exitCode === 0
    ? undefined
    : "needs containerd: apt-get install containerd, or PEERPODS_CONTAINERD for one that lies elsewhere";
}

/** containerd and its ctr: those in PATH, or the one of `$PEERPODS_CONTAINERD` and its neighbour. */
const given = process.env["PEERPODS_CONTAINERD"];
const programs =
  given === undefined ? (["containerd", "ctr"] as const) : ([given, join(dirname(given), "ctr")] as const);

/** A containerd of its own, with the kata shim as runtime `io.containerd.kata-remote.v2`. */
export interface Containerd extends AsyncDisposable {
  /** Runs `ctr` against it in namespace `k8s.io`; the exit code is the container's for `run`. */
  ctr(
    args: readonly string[],
    options?: { input?: string },
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** Arguments of `ctr run` for a pod of one container in a prepared network namespace. */
  podArguments(pod: { name: string; netns: string; image: string }): readonly string[];
  /** Endpoint of its container runtime interface. */
  readonly endpoint: string;
  readonly logFile: string;
}

export interface ContainerdOptions {
  /** Everything of it is below; nothing of the machine's own is touched but `/dev/log`. */
  readonly directory: string;
  readonly hypervisorSocket: string;
  /** For pods of the CRI. */
  readonly podNetwork?: PodNetwork;
}

/** Makes a directory in which containerd finds the kata shim under the name of our runtime. */
export async function linkShim(directory: string): Promise<string> {
  const shim = await findKataShim();
  if (shim === undefined) throw new Error(await missingShim());
  const bin = join(directory, "bin");
  await mkdir(bin, { recursive: true });
  await symlink(shim, join(bin, "containerd-shim-kata-remote-v2"));
  return bin;
}

/** Starts a containerd. Disposal ends it; its shims end with their pods. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const { directory, hypervisorSocket, podNetwork } = options;
  await using parts = new AsyncDisposableStack();
  const bin = await linkShim(directory);
  await writeFile(join(directory, "kata.toml"), kataConfiguration(hypervisorSocket));
  const address = join(directory, "containerd.sock");
  await writeFile(join(directory, "config.toml"), containerdConfiguration(directory, address));
  if (podNetwork !== undefined) parts.use(await layOutPodNetwork(directory, podNetwork));
  await listenToSyslog(parts, directory);
  const logFile = join(directory, "containerd.log");
  parts.defer(() =>
    removeCgroups([
      "vc",
      "k8s.io",
      "kata_overhead",
      ...(podNetwork === undefined ? [] : [podNetwork.bridge]),
    ]),
  );
  parts.use(
    await startProcess(programs[0], ["-c", join(directory, "config.toml")], {
      logFile,
      env: { PATH: `${bin}:${process.env["PATH"]}` },
    }),
  );
  const ctr: Containerd["ctr"] = async (args, { input } = {}) => {
    const result = await execa(programs[1], ["-a", address, "-n", "k8s.io", ...args], {
      reject: false,
      timeout: 120_000,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    });
    return {
      exitCode: result.exitCode ?? -1,
      stdout: result.stdout,
      stderr: result.stderr,
    };
  };
  await until("containerd ready", async () => (await ctr(["version"])).exitCode === 0);
  const owned = parts.move();
  return {
    ctr,
    endpoint: `unix://${address}`,
    logFile,
    podArguments: ({ name, netns, image }) => [
      ...["--runtime", "io.containerd.kata-remote.v2", "--runtime-config-path", join(directory, "kata.toml")],
      ...["--annotation", `io.kubernetes.cri.sandbox-name=${name}`],
      ...["--annotation", "io.kubernetes.cri.sandbox-namespace=default"],
      ...["--annotation", `io.kubernetes.cri.image-name=${image}`],
      ...["--with-ns", `network:${netns}`],
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The shim makes cgroups on the node and leaves them to the kubelet. Those in use stay. */
export async function removeCgroups(names: readonly string[]): Promise<void> {
  const named = names
    .flatMap((name) => ["-path", `*/${name}`, "-o", "-path", `*/${name}/*`, "-o"])
    .slice(0, -1);
  const rmdir = ["-exec", "rmdir", "{}", ";"];
  await execa("find", ["/sys/fs/cgroup", "-depth", "-type", "d", "(", ...named, ")", ...rmdir], {
    reject: false,
  });
}

/** The shim ends at once when nobody listens on /dev/log; a file left by a dead listener does not count. */
export async function listenToSyslog(parts: AsyncDisposableStack, directory: string): Promise<void> {
  const isServed = async (): Promise<boolean> => {
    // Under systemd it is a link.
    const path = await realpath("/dev/log").catch(() => "/dev/log");
    return (await readFile("/proc/net/unix", "utf8")).split("\n").some((line) => line.endsWith(` ${path}`));
  };
  if (await isServed()) return;
  parts.defer(() => rm("/dev/log", { force: true }));
  const arguments_ = ["syslogd", "-n", "-O", "/dev/null"];
  parts.use(await startProcess("busybox", arguments_, { logFile: join(directory, "syslogd.log") }));
  await until("syslogd listens", isServed);
}
