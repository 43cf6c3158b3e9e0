import { duplexPair } from "node:stream";
import { ConnectError, createClient } from "@connectrpc/connect";
import { connectTtrpc } from "@peerpods/ttrpc";
import { refusedAsync } from "../../allowed.ts";
import { Echo } from "../../internals.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";
import { serverBytes, ttrpcWords } from "./wire.ts";

const isStatus = (error: unknown): boolean => error instanceof ConnectError;

/** Whatever a server sends, every call ends, with an answer or a status. */
export const client: FuzzTarget = {
  name: "ttrpc-client",
  boundary: "agent or forwarder to relay, relay to daemon: what a server sends",
  seeds: serverBytes,
  words: ttrpcWords,
  open: stateless(async (input) => {
    const [clientSide, serverSide] = duplexPair();
    serverSide.on("error", () => undefined).resume();
    await using connection = connectTtrpc(clientSide);
    const echo = createClient(Echo, connection.transport);
    const calls = [
      refusedAsync(() => echo.say({ value: "x" }), isStatus),
      refusedAsync(async () => {
        for await (const _ of echo.count({ value: 2 })) continue;
      }, isStatus),
    ];
    serverSide.end(input);
    await Promise.all(calls);
  }),
};
