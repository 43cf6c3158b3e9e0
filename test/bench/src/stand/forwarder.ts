import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serializeApfConfig, DEFAULT_VXLAN_PORT } from "@peerpods/podvm-contract";
import { freePort, startProcess, until, type RunningProcess } from "@peerpods/test-harness";
import { execa } from "execa";
import type { Identity } from "./certificates.ts";
import { accepts } from "./accepts.ts";

export interface ForwarderOptions {
  /** The bundled program. */
  readonly program: string;
  readonly directory: string;
  readonly identity: Identity;
  readonly agentSocket: string;
  readonly logFile: string;
  readonly nodeArgs: readonly string[];
}

/** The forwarder as it runs in a pod VM, with a tunnel that nothing goes through. */
export interface RunningForwarder extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** Starts the program with an apf.json and a network namespace for its end of the tunnel; needs root. */
export async function startForwarder(options: ForwarderOptions): Promise<RunningForwarder> {
  const { program, directory, identity, agentSocket, logFile, nodeArgs } = options;
  await using resources = new AsyncDisposableStack();
  // Another one for each forwarder on this machine, away from the ids that daemons give out.
  const vxlanId = 0xb0_00_00 + randomInt(0x1_00_00);
  const netns = `ppbench-${vxlanId}`;
  await execa("ip", ["netns", "add", netns]);
  resources.defer(async () => void (await execa("ip", ["netns", "delete", netns])));
  const config = join(directory, "apf.json");
  await writeFile(config, apfConfig(identity, vxlanId), { mode: 0o600 });
  const port = await freePort();
  const running: RunningProcess = resources.use(
    await startProcess(
      process.execPath,
      [
        ...nodeArgs,
        program,
        ...["-config", config, "-listen", `127.0.0.1:${port}`],
        ...["-kata-agent-socket", agentSocket, "-pod-namespace", `/run/netns/${netns}`],
      ],
      { logFile },
    ),
  );
  await until("the forwarder listens", () => accepts({ host: "127.0.0.1", port }), { everyMs: 10 });
  const owned = resources.move();
  return { pid: running.pid, port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function apfConfig({ ca, cert, key }: Identity, vxlanId: number): string {
  return serializeApfConfig({
    podNamespace: "bench",
    podName: "bench",
    tlsServerCert: cert,
    tlsServerKey: key,
    tlsClientCa: ca,
    podNetwork: {
      podIp: "192.0.2.9/24",
      podHwAddr: "0a:58:c0:00:02:09",
      interface: "eth0",
      workerNodeIp: "198.51.100.1/24",
      tunnelType: "vxlan",
      routes: [],
      neighbors: [],
      mtu: 1400,
      index: 0,
      vxlanPort: DEFAULT_VXLAN_PORT,
      vxlanId,
      dedicated: false,
      externalNetViaPodVm: false,
    },
  });
}
