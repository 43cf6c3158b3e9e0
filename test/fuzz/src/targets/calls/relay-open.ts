import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { isAbsolute, normalize } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { refusedAs, require } from "../../allowed.ts";
import { OpenRequestSchema, RelayError, checkOpenRequest, openRequestFromMessage } from "../../internals.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";

const seed = toBinary(
  OpenRequestSchema,
  create(OpenRequestSchema, {
    sandboxId: "abc",
    socketPath: "/run/peerpod/pods/abc/agent.ttrpc",
    target: { host: "10.0.0.7", port: 15_150 },
    tls: { ca: "ca", cert: "cert", key: "key", serverName: "podvm-abc", minVersion: "TLSv1.3" },
    dialTimeoutMs: 60_000n,
  }),
);

/** A request that the relay accepts names a socket, an address and a time that can be used as they are. */
export const relayOpen: FuzzTarget = {
  name: "relay-open",
  boundary: "relay.sock: Open, from a daemon of any version to the relay",
  seeds: [seed],
  words: [
    "../",
    "/..",
    "\0",
    "::1",
    "fe80::1%eth0",
    "TLSv1.2",
    Buffer.of(0x28, 0xff, 0xff, 0xff, 0xff, 0x0f),
  ],
  open: stateless((input) => {
    const message = refusedAs(
      () => fromBinary(OpenRequestSchema, input),
      (error) => error instanceof Error,
    );
    if (message === undefined) return;
    const request = refusedAs(
      () => {
        const request = openRequestFromMessage(message);
        checkOpenRequest(request);
        return request;
      },
      (error) => error instanceof RelayError && error.code === "invalid_request",
    );
    if (request === undefined) return;
    const { socketPath, target, dialTimeoutMs } = request;
    require(isAbsolute(socketPath) &&
      normalize(socketPath) === socketPath, "the socket path is absolute and plain");
    require(isIP(target.host) !== 0 && target.port > 0 && target.port < 65_536, "the target is an address");
    require(Number.isSafeInteger(dialTimeoutMs) && dialTimeoutMs > 0, "the time is one");
  }),
};
