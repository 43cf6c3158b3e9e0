import { connect } from "node:net";
import type { Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import type { TtrpcAddress } from "../connection/address.ts";
import { watchAbort } from "../connection/call-abort.ts";
import { connectTtrpc } from "./connect.ts";
import type { TtrpcClientConnection, TtrpcClientOptions } from "./connect.ts";

/** Options of {@link dialTtrpc}: those of the connection, and of making it. */
export interface DialOptions extends TtrpcClientOptions {
  /** Gives up connecting; without effect once connected. */
  readonly signal?: AbortSignal;
  /** Time for connecting in milliseconds. Default 10 000. */
  readonly dialTimeoutMs?: number;
}

/**
 * Connects to a ttrpc server. TLS and other streams: connect them and use `connectTtrpc`.
 *
 * @throws ConnectError UNAVAILABLE with the address and the system's error as cause; CANCELLED or the signal's
 * `ConnectError` when aborted; DEADLINE_EXCEEDED after `dialTimeoutMs`. Nothing is left open then.
 */
export async function dialTtrpc(
  address: TtrpcAddress,
  options: DialOptions = {},
): Promise<TtrpcClientConnection> {
  return connectTtrpc(await dial(address, options), options);
}

function dial(address: TtrpcAddress, { signal, dialTimeoutMs = 10_000 }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = "path" in address ? connect(address.path) : connect(address.port, address.host);
    const fail = (error: ConnectError): void => {
      stopWatch?.();
      socket.destroy();
      reject(error);
    };
    let stopWatch: (() => void) | undefined;
    // Stays: an error after the failure was reported must not be an unhandled one.
    socket.on("error", (cause) => {
      const where = "path" in address ? address.path : `${address.host}:${address.port}`;
      fail(
        new ConnectError(
          `cannot connect to ${where}: ${cause.message}`,
          Code.Unavailable,
          undefined,
          undefined,
          cause,
        ),
      );
    });
    socket.once("connect", () => {
      stopWatch?.();
      socket.setNoDelay(true);
      resolve(socket);
    });
    stopWatch = watchAbort({ signal, timeoutMs: dialTimeoutMs }, fail);
  });
}
