import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { silentLogger } from "@peerpods/cloud-providers";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import { dialTtrpc } from "@peerpods/ttrpc";
import type { RelayEvent, RelayOpenRequest } from "../../sandbox/relay-port.ts";
import { createDirectVolumeFacts } from "../calls/direct-volumes.ts";
import { defaultRelayLimits } from "../dependencies.ts";
import type { RelayLimits } from "../dependencies.ts";
import { RelayTable } from "../relay-table.ts";
import { AgentVm } from "./agent-vm.ts";
import { CutProxy } from "./cut-proxy.ts";
import { makeTestTls } from "./tls.ts";
import type { TestTls } from "./tls.ts";

/** A relay in this process, a VM behind a proxy, and what both trust. */
export interface RelayFixture extends AsyncDisposable {
  readonly directory: string;
  readonly table: RelayTable;
  readonly vm: AgentVm;
  readonly proxy: CutProxy;
  readonly tls: TestTls;
  readonly request: (sandboxId: string, change?: Partial<RelayOpenRequest>) => RelayOpenRequest;
}

export async function startFixture(limits: Partial<RelayLimits> = {}): Promise<RelayFixture> {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "relay-"));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const tls = await makeTestTls();
  const vm = resources.use(await AgentVm.start(tls.server));
  const proxy = resources.use(await CutProxy.start(vm.target));
  const table = resources.use(makeTable(directory, limits));
  const owned = resources.move();
  return {
    directory,
    table,
    vm,
    proxy,
    tls,
    request: (sandboxId, change = {}) => ({
      sandboxId,
      socketPath: join(directory, `${sandboxId}.ttrpc`),
      target: proxy.target,
      tls: tls.relay,
      dialTimeoutMs: 5_000,
      ...change,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function makeTable(directory: string, limits: Partial<RelayLimits> = {}): RelayTable {
  return new RelayTable({
    hello: { protocol: 2, version: "test" },
    dependencies: { logger: silentLogger, now: () => Date.now(), facts: createDirectVolumeFacts(directory) },
    limits: {
      ...defaultRelayLimits,
      dialPolicy: { minDelayMs: 5, maxDelayMs: 50, attemptTimeoutMs: 1_000, refusalAfterMs: 200 },
      ...limits,
    },
  });
}

/** A shim's connection to an agent socket. */
export async function dialShim(socketPath: string) {
  const connection = await dialTtrpc({ path: socketPath });
  return {
    agent: createClient(AgentService, connection.transport),
    health: createClient(Health, connection.transport),
    closed: connection.closed,
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** Reads events until one fits, within the test's time. */
export async function untilEvent(
  events: AsyncIterable<RelayEvent>,
  fits: (event: RelayEvent) => boolean,
): Promise<RelayEvent> {
  for await (const event of events) if (fits(event)) return event;
  throw new Error("the events ended before the expected one");
}
