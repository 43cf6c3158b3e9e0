import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { InfoResponseSchema, SandboxSchema } from "../../gen/peerpods/control/v1/control_pb.ts";
import { bytes, frame } from "./frame.ts";

const info = create(InfoResponseSchema, {
  version: "1.2.3",
  provider: "local",
  startedAtMs: 0n,
  sandboxLimit: 10,
  relay: { version: "1.2.2" },
});
const sandbox = (toVm: number, change: MessageInitShape<typeof SandboxSchema> = {}) =>
  create(SandboxSchema, {
    sandboxId: "ab".repeat(32),
    podName: "web",
    podNamespace: "default",
    phase: "running",
    timeline: [{ name: "created", atMs: 1_000 }],
    relay: { vm: "connected", bytesToVm: BigInt(toVm), bytesToShim: BigInt(toVm * 2), reconnects: 1n },
    ...change,
  } as MessageInitShape<typeof SandboxSchema>);

describe("a frame of top", () => {
  it("tells of the node, each sandbox and its rates since the frame before", () => {
    const text = frame({
      info,
      before: { atMs: 59_000, sandboxes: [sandbox(1024)] },
      now: { atMs: 61_000, sandboxes: [sandbox(5120)] },
    });
    expect(text.split("\n")).toEqual([
      "cloud-api-adaptor 1.2.3, provider local, up 61s, relay 1.2.2",
      "1 of 10 sandboxes: 1 running",
      "",
      "SANDBOX       POD          PHASE    AGE  AGENT      TRAFFIC   TO VM/s  TO SHIM/s  RECONNECTS",
      "abababababab  default/web  running  60s  connected  15.0 KiB  2.0 KiB  4.0 KiB    1",
      "",
    ]);
  });

  it("has no rates in the first frame, and says when no relay answers", () => {
    const text = frame({
      info: create(InfoResponseSchema, { version: "1", provider: "p" }),
      before: undefined,
      now: { atMs: 2_000, sandboxes: [sandbox(1, { phase: "failed", error: "no \x1b capacity" })] },
    });
    expect(text).toContain("no relay answers");
    expect(text).toContain("1 sandboxes: 1 failed");
    expect(text).toMatch(/3 B {5}( +)1 +no \u241b capacity/);
  });
});

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [200 * 1024, "200 KiB"],
  [5 * 2 ** 30, "5.0 GiB"],
  [2 ** 60, "1048576 TiB"],
])("%i bytes are %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});
