import { duplexPair } from "node:stream";
import { createClient } from "@connectrpc/connect";
import { connectTtrpc, createTtrpcServer } from "@peerpods/ttrpc";
import { require } from "../../allowed.ts";
import { Echo, echoRoutes } from "../../internals.ts";
import type { FuzzTarget } from "../../target.ts";
import { clientBytes, ttrpcWords } from "./wire.ts";

/** A hostile client's connection ends, and a client beside it is served. */
export const server: FuzzTarget = {
  name: "ttrpc-server",
  boundary: "hypervisor.sock, control.sock and relay.sock: what a client sends",
  seeds: clientBytes,
  words: ttrpcWords,
  open() {
    const ttrpc = createTtrpcServer(echoRoutes());
    const [healthySide, servedSide] = duplexPair();
    ttrpc.serve(servedSide);
    const healthy = connectTtrpc(healthySide);
    const echo = createClient(Echo, healthy.transport);
    return {
      async take(input) {
        const [hostile, served] = duplexPair();
        const connection = ttrpc.serve(served);
        hostile.on("error", () => undefined).resume();
        hostile.end(input);
        await connection.closed;
        require((await echo.say({ value: "on" })).value === "on", "another client is served");
      },
      async [Symbol.asyncDispose]() {
        await healthy[Symbol.asyncDispose]();
        await ttrpc[Symbol.asyncDispose]();
      },
    };
  },
};
