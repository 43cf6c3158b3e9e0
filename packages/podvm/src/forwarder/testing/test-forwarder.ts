import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import { connectTtrpc } from "@peerpods/ttrpc";
import type { TtrpcClientConnection } from "@peerpods/ttrpc";
import { pino } from "pino";
import { createCloudVolumes } from "../cloud-volumes/cloud-volumes.ts";
import type { VolumeDriver } from "../cloud-volumes/cloud-volumes.ts";
import { startForwarder } from "../forwarder.ts";
import type { Forwarder } from "../forwarder.ts";
import type { ForwarderLimits } from "../limits.ts";
import { resolveServerTls } from "../tls.ts";
import { makeNodeIdentities } from "./certificates.ts";
import type { NodeIdentities } from "./certificates.ts";
import { startTestAgent } from "./test-agent.ts";
import type { TestAgent } from "./test-agent.ts";

export const serverName = "podvm-test-1";
const noFlags = { clientCaFile: "", certFile: "", keyFile: "", tlsSkipVerify: false, disableTls: false };
const noVolumes: VolumeDriver = {
  findDevice: () => Promise.reject(new Error("no disks here")),
  mount: () => Promise.reject(new Error("no disks here")),
  unmount: () => Promise.reject(new Error("no disks here")),
};

/** A forwarder on a free port with an agent behind it, and clients for it. */
export interface Bench extends AsyncDisposable {
  readonly directory: string;
  readonly agentPath: string;
  readonly identities: NodeIdentities;
  readonly forwarder: Forwarder;
  /** What it has logged. */
  readonly logs: readonly Record<string, unknown>[];
  readonly agent: TestAgent;
  /** Starts the agent anew on the same path. */
  restartAgent(): Promise<void>;
  /** A TLS connection with the right certificates, save for what is given. */
  dial(options?: ConnectionOptions): Promise<TLSSocket>;
  client(): Promise<TtrpcClientConnection>;
}

export interface BenchOptions {
  readonly methods?: Partial<ServiceImpl<typeof AgentService>>;
  readonly limits?: Partial<ForwarderLimits>;
  /** Whether the server certificate has expired. */
  readonly expired?: boolean;
  /** Instead of the node's own client certificate. */
  readonly clientCa?: string;
  readonly tlsMinVersion?: string;
  readonly volumes?: VolumeDriver;
  readonly withoutAgent?: boolean;
}

export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), "forwarder-"));
  const agentPath = join(directory, "kata-containers-agent.sock");
  const startAgent = () => startTestAgent(agentPath, options.methods);
  let agent: TestAgent | undefined;
  if (!options.withoutAgent) agent = await startAgent();
  const identities = await makeNodeIdentities();
  const server = await identities.server(serverName, { expired: options.expired ?? false });
  const logs: Record<string, unknown>[] = [];
  const logger = pino({ level: "debug" }, { write: (line) => void logs.push(JSON.parse(line)) });
  const tls = await resolveServerTls(noFlags, {
    podNamespace: "",
    podName: "",
    tlsServerCert: server.cert,
    tlsServerKey: server.key,
    tlsClientCa: options.clientCa ?? identities.client.cert,
    tlsMinVersion: options.tlsMinVersion,
  });
  const forwarder = await startForwarder({
    listen: { host: "127.0.0.1", port: 0 },
    tls,
    agentSocket: agentPath,
    podNetns: "/run/netns/podns",
    volumes: createCloudVolumes(options.volumes ?? noVolumes, {
      logger,
      directory: join(directory, "volumes"),
    }),
    logger,
    ...(options.limits && { limits: options.limits }),
  });
  const clients: AsyncDisposable[] = [];

  const dial = async (differing: ConnectionOptions = {}): Promise<TLSSocket> => {
    const { cert, key } = identities.client;
    const socket = connect({
      host: "127.0.0.1",
      port: forwarder.port,
      servername: serverName,
      ca: identities.serverCa,
      cert,
      key,
      ...differing,
    });
    clients.push({ [Symbol.asyncDispose]: async () => void socket.destroy() });
    await once(socket, "secureConnect");
    return socket;
  };

  return {
    directory,
    agentPath,
    identities,
    forwarder,
    logs,
    get agent() {
      if (agent === undefined) throw new Error("no agent was started");
      return agent;
    },
    async restartAgent() {
      await agent?.[Symbol.asyncDispose]();
      agent = await startAgent();
    },
    dial,
    async client() {
      const connection = connectTtrpc(await dial());
      clients.push(connection);
      return connection;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client[Symbol.asyncDispose]();
      await forwarder[Symbol.asyncDispose]();
      await agent?.[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
