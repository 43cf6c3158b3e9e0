import { join } from "node:path";
import { freePort, until, type RunningProcess } from "@peerpods/test-harness";
import { accepts } from "./accepts.ts";
import type { Identity } from "./certificates.ts";

/** One hop of a line: where it takes connections, as `unix:PATH` or `tcp:HOST:PORT`, and its process. */
export interface Hop {
  readonly dial: string;
  readonly pid: number;
}

/** Two hops that stand where relay and forwarder stand: a Unix socket in front, TCP on loopback between them, the agent behind. */
export interface Pair {
  readonly first: Hop;
  readonly second: Hop;
}

export interface HopOptions {
  /** `unix:PATH` or `tcp:HOST:PORT`, also below. */
  readonly listen: string;
  readonly dial: string;
  /** Directory with ca.crt, tls.crt and tls.key; without it plain connections. */
  readonly listenTls?: string;
  readonly dialTls?: string;
}

/** Starts a program that serves as either hop. */
export type StartHop = (options: HopOptions) => Promise<RunningProcess>;

/** The options as all programs take them. */
export function hopArgs({ listen, dial, listenTls, dialTls }: HopOptions): readonly string[] {
  return [
    ...["--listen", listen, "--dial", dial],
    ...(listenTls === undefined ? [] : ["--listen-tls", listenTls]),
    ...(dialTls === undefined ? [] : ["--dial-tls", dialTls]),
  ];
}

export interface PairOptions {
  /** Names its socket. */
  readonly name: string;
  readonly directory: string;
  readonly agentSocket: string;
  /** Both ends of mutual TLS between the hops; without it they are joined plainly. */
  readonly tls?: { readonly server: Identity; readonly client: Identity };
}

/** Starts both hops of a program and waits until they take connections. */
export async function startPair(
  startHop: StartHop,
  { name, directory, agentSocket, tls }: PairOptions,
): Promise<Pair & AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const host = "127.0.0.1";
  const port = await freePort();
  const between = `tcp:${host}:${port}`;
  const path = join(directory, `${name}.sock`);
  const second = resources.use(
    await startHop({
      listen: between,
      dial: `unix:${agentSocket}`,
      ...(tls === undefined ? {} : { listenTls: tls.server.directory }),
    }),
  );
  await until(`the second hop of ${name} listens`, () => accepts({ host, port }));
  const first = resources.use(
    await startHop({
      listen: `unix:${path}`,
      dial: between,
      ...(tls === undefined ? {} : { dialTls: tls.client.directory }),
    }),
  );
  await until(`the first hop of ${name} listens`, () => accepts({ path }));
  const owned = resources.move();
  return {
    first: { dial: `unix:${path}`, pid: first.pid },
    second: { dial: between, pid: second.pid },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
