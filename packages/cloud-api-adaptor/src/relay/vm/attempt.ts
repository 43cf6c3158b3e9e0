import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Forwarder } from "./forwarder.ts";
import { reasonOf } from "../errors.ts";
import { pingServer } from "./ping.ts";
import { isTrustFailure } from "./tls-failure.ts";

/** Probes of an idle connection begin after this long; with the kernel's spacing a dead peer shows in about 20 s. */
const KEEP_ALIVE_MS = 10_000;

/** The forwarder accepted a connection and closed it before it had answered anything. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

/**
 * One attempt to reach a forwarder: TCP, TLS when configured, and an answered ping. Resolves with a paused stream
 * whose errors are already handled; on failure and on abort nothing of it is left.
 */
export async function connectForwarder(
  forwarder: Forwarder,
  options: { readonly signal: AbortSignal },
): Promise<Socket> {
  options.signal.throwIfAborted();
  const socket = open(forwarder);
  // Whoever uses the stream listens as well; this one keeps an error between two users from ending the process.
  socket.on("error", () => undefined);
  try {
    await connected(socket, forwarder.tls === undefined ? "connect" : "secureConnect", options.signal);
    await pingServer(socket, options).catch((error: unknown) => {
      throw options.signal.aborted || isTrustFailure(error) ? error : unanswered(error);
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function unanswered(cause: unknown): UnansweredError {
  return new UnansweredError(`the connection was closed before an answer: ${reasonOf(cause)}`, { cause });
}

function open({ target: { host, port }, tls }: Forwarder): Socket {
  const socket =
    tls === undefined
      ? connectTcp({ host, port })
      : connectTls({ host, port, secureContext: tls.context, servername: tls.serverName });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

async function connected(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  const onReady = (): void => done.resolve();
  const onError = (error: Error): void => done.reject(error);
  const onClose = (): void => done.reject(new Error("the connection was closed while it was set up"));
  const onAbort = (): void => done.reject(signal.reason as Error);
  socket.once(event, onReady).once("error", onError).once("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await done.promise;
  } finally {
    socket.off(event, onReady).off("error", onError).off("close", onClose);
    signal.removeEventListener("abort", onAbort);
  }
}
