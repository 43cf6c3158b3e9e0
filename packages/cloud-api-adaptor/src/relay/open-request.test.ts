import { describe, expect, it } from "vitest";
import type { RelayOpenRequest } from "../sandbox/relay-port.ts";
import { checkOpenRequest } from "./open-request.ts";

const good: RelayOpenRequest = {
  sandboxId: "a".repeat(64),
  socketPath: "/run/peerpod/pods/a/agent.ttrpc",
  target: { host: "10.0.0.1", port: 15_150 },
  tls: { ca: "ca", cert: "cert", key: "key", serverName: "podvm" },
  dialTimeoutMs: 300_000,
};

describe("an open request", () => {
  it("that is right passes, also with IPv6 and without TLS", () => {
    const { tls: _tls, ...plain } = good;
    checkOpenRequest(good);
    checkOpenRequest({ ...plain, target: { host: "fd00::1", port: 1 } });
  });

  it.each<[string, Partial<RelayOpenRequest>]>([
    ["sandboxId", { sandboxId: "" }],
    ["sandboxId", { sandboxId: "../../evil" }],
    ["sandboxId", { sandboxId: "a".repeat(129) }],
    ["sandboxId", { sandboxId: "a\0b" }],
    ["socketPath", { socketPath: "agent.ttrpc" }],
    ["socketPath", { socketPath: "/run/../etc/x" }],
    ["socketPath", { socketPath: `/${"x".repeat(107)}` }],
    ["target.host", { target: { host: "vm.example", port: 1 } }],
    ["target.port", { target: { host: "10.0.0.1", port: 0 } }],
    ["target.port", { target: { host: "10.0.0.1", port: 65_536 } }],
    ["dialTimeoutMs", { dialTimeoutMs: 0 }],
    ["dialTimeoutMs", { dialTimeoutMs: Number.NaN }],
    ["tls.ca", { tls: { ca: "", cert: "c", key: "k", serverName: "s" } }],
    ["tls.serverName", { tls: { ca: "c", cert: "c", key: "k", serverName: "" } }],
  ])("with a wrong %s is refused by that name: %j", (field, change) => {
    expect(() => checkOpenRequest({ ...good, ...change })).toThrow(
      expect.objectContaining({ code: "invalid_request", message: expect.stringContaining(field) }),
    );
  });
});
