import { join } from "node:path";
import { execa } from "execa";
import { startProcess, until } from "@peerpods/test-harness";
import { buildBusyboxImage } from "../stage/image.ts";
import { leftovers, machineState } from "../stage/machine.ts";
import { createPodBridge } from "../stage/pod-namespace.ts";
import { podVM } from "../stage/pod-vm.ts";
import { createWorkerNode, type WorkerNode } from "../stage/worker-node.ts";
import { followOutput, type FollowedOutput } from "./follow-output.ts";
import { containerScript } from "./container-script.ts";

/** Where the demo happens and where it tells what it sees. */
export interface DemoOptions {
  /** An empty directory of its own. */
  readonly directory: string;
  /** Four characters that make the names of links and namespaces unique. */
  readonly id: string;
  readonly say: (line: string) => void;
  /** Where the package `@peerpods/cloud-api-adaptor` is installed. Default: the workspace's. */
  readonly adaptor?: string;
  /** Ends the demo at its next wait; what it made is taken back. */
  readonly signal?: AbortSignal;
}

/** Plays the whole demo. Rejects when something it claims is not so; everything is taken back in both cases. */
export async function playDemo(options: DemoOptions): Promise<void> {
  const { say } = options;
  const before = await machineState();
  const marks = await performAct(options);
  say("\n== What is left");
  const after = await until("everything is gone", async () => {
    const state = await machineState();
    return Object.keys(leftovers(before, state, marks)).length === 0 ? state : undefined;
  }).catch(async () => await machineState());
  const left = leftovers(before, after, marks);
  for (const kind of Object.keys(after) as (keyof typeof after)[])
    say(
      `  ${kind.padEnd(11)} before ${before[kind].length}, now ${after[kind].length}${left[kind] ? `, left: ${left[kind].join("; ")}` : ""}`,
    );
  if (Object.keys(left).length > 0) throw new Error("something is left on this machine, see above");
  say("  no process, namespace, link, rule, mount, cgroup, file or instance remains");
}

/** Returns the marks by which things of this demo are recognised: paths, names, ids. */
async function performAct({ directory, id, say, adaptor, signal }: DemoOptions): Promise<readonly string[]> {
  say("== A tiny OCI image, and a pod network as a CNI plugin makes it");
  const images = join(directory, "images");
  await buildBusyboxImage(images, "localhost/demo");
  await using bridge = await createPodBridge(`ppd${id}`, "10.244.77");
  const pod = await bridge.addPod(`ppd${id}-pod`);
  const server = await bridge.addPod(`ppd${id}-server`);
  await using _server = await serveGreeting(server.name, directory);
  say(`  image localhost/demo:latest; pod ${pod.address} in ${pod.path}; a web server on ${server.address}`);

  say("\n== The daemon, with the provider that makes pod VMs on this machine");
  await using node = await createWorkerNode({
    directory: join(directory, "node"),
    ...(adaptor === undefined ? {} : { adaptor }),
    imageDirectory: images,
    bridge: `ppv${id}`,
    subnet: "10.213.77.0/24",
  });
  const daemon = await node.startDaemon();
  say(`  cloud-api-adaptor local, pid ${daemon.pid}`);

  signal?.throwIfAborted();
  say("\n== peerpods run localhost/demo");
  await using run = startRun(node, { netns: pod.path, server: server.address, say });
  signal?.addEventListener("abort", () => run.kill());
  await run.line(/^tick 1$/);
  say("\n== The same pod VM, seen from outside");
  const instanceId = await showInstance(node, say);
  await reachPod(pod.address, say);

  say(`\n== kill -9 ${daemon.pid}: the daemon is gone, the container goes on`);
  daemon.kill("SIGKILL");
  await daemon.ended;
  const tick = await run.next(/^tick (\d+)$/);
  await run.line(new RegExp(`^tick ${tick + 1}$`));
  await node.startDaemon();
  say("  a new daemon has taken over:");
  say(indent((await node.peerpods(["ps"])).stdout));
  const later = await run.next(/^tick (\d+)$/);
  await run.line(new RegExp(`^tick ${later + 1}$`));
  checkTicks(run.lines);
  say(`  ${later + 1} ticks so far, none missing`);

  say("\n== SIGTERM to peerpods run: the container ends, the pod VM goes, here is where the time went");
  run.kill();
  const { exitCode, timeline } = await run.ended;
  say(indent(timeline));
  if (exitCode !== 7) throw new Error(`the container's exit code was to be 7 and was ${exitCode}`);
  say("  exit code 7, as the container said");
  return [directory, `ppd${id}`, `ppv${id}`, instanceId, `vni ${node.vxlanMinId}`];
}

function startRun(
  node: WorkerNode,
  { netns, server, say }: { netns: string; server: string; say: (line: string) => void },
): FollowedOutput {
  const args = node.tool(["run", "--netns", netns, "--name", "demo", "localhost/demo:latest", "--"]);
  return followOutput([...args, "sh", "-c", containerScript(server)], (line) => say(`  | ${line}`));
}

async function serveGreeting(namespace: string, directory: string) {
  const root = join(directory, "www");
  await execa("sh", ["-c", `mkdir -p ${root} && echo "hello from the pod network" > ${root}/index.html`]);
  return await startProcess(
    "ip",
    ["netns", "exec", namespace, "busybox", "httpd", "-f", "-p", "8080", "-h", root],
    { logFile: join(directory, "httpd.log") },
  );
}

async function showInstance(node: WorkerNode, say: (line: string) => void): Promise<string> {
  const { stdout } = await node.peerpods(["--json", "ps"]);
  const [sandbox] = JSON.parse(stdout) as { instanceId: string; instanceName: string; addresses: string[] }[];
  if (sandbox === undefined) throw new Error("peerpods ps shows no sandbox");
  say(`  instance ${sandbox.instanceId}, ${sandbox.instanceName}, ${sandbox.addresses.join(", ")}`);
  const vm = await podVM(sandbox.instanceId);
  say("  its processes:");
  for (const process of await vm.processes()) say(`    ${process}`);
  const userData = await vm.file("/media/cidata/user-data");
  say("  the user data it booted with begins:");
  for (const line of userData.split("\n").slice(0, 4)) say(`    ${line}`);
  return sandbox.instanceId;
}

async function reachPod(address: string, say: (line: string) => void): Promise<void> {
  const response = await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(10_000) });
  const text = (await response.text()).trim();
  if (text !== "hello from the container") throw new Error(`the pod answered ${JSON.stringify(text)}`);
  say(`  http://${address}:8080/ asked from this machine answers: ${text}`);
}

/** Output passed through the relay while the daemon died; a lost or doubled line would show here. */
function checkTicks(lines: readonly string[]): void {
  const ticks = lines.flatMap((line) => /^tick (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  for (const [index, tick] of ticks.entries())
    if (tick !== index + 1) throw new Error(`tick ${index + 1} was to come and ${tick} came`);
}

function indent(text: string): string {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `  ${line}`)
    .join("\n");
}
