import { describe, expect, it } from "vitest";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import { createRequest, patient, sandboxId, World } from "../sandbox/testing/world.ts";
import { SHOW_ENDING_AFTER_MS, SHOW_STARTING_AFTER_MS, specOf, specPatch, statusOf } from "./peerpod-of.ts";

const recordOf = (daemon: Lifecycle): SandboxRecord => daemon.list()[0]!.record;

/** The records of a life in their order, as the journal has them. */
const life = await (async () => {
  await using world = new World();
  const daemon = await world.daemon();
  const seen: SandboxRecord[] = [];
  world.journal.before = async (record) => void seen.push(record);
  await daemon.create(createRequest(), patient);
  await daemon.start(sandboxId, patient);
  seen.push(recordOf(daemon));
  await daemon.stop(sandboxId);
  const [created, intended, known, running] = seen;
  const stopping = seen.findLast(({ phase }) => phase === "stopping");
  return { created: created!, intended: intended!, known: known!, running: running!, stopping: stopping! };
})();

describe("the PeerPod of a record", () => {
  it("says what was asked for, then what came of it", () => {
    const { token } = life.intended.attempts[0]!;
    const asked = { cloudProvider: "fake", sandboxID: sandboxId, nodeName: "worker-1", token };
    expect(specOf(life.intended, "fake")).toEqual(asked);
    expect(specOf(life.running, "fake")).toEqual({ ...asked, instanceID: `i-${token}` });
  });

  it("keeps the tokens of earlier attempts that may have left something, as many as it may", () => {
    const attempts = Array.from({ length: 40 }, (_, index) => ({
      number: index + 1,
      token: `t${index + 1}`,
    }));
    const { token, earlierTokens } = specOf({ ...life.intended, attempts }, "fake");
    expect(token).toBe("t40");
    expect(earlierTokens).toHaveLength(32);
    expect(earlierTokens?.[0]).toBe("t8");
  });

  it("is patched where it differs, in our own fields only, and not at all where it does not", () => {
    const before = specOf(life.intended, "fake");
    expect(specPatch(before, before)).toBeUndefined();
    expect(specPatch({ ...before, other: 1 } as never, specOf(life.running, "fake"))).toEqual({
      spec: { instanceID: life.running.instance?.id },
    });
    const { token: _, ...without } = before;
    expect(specPatch(before, without)).toEqual({ spec: { token: null } });
  });

  it.each([
    ["intended", "Requested", SHOW_STARTING_AFTER_MS, ["Created False InstanceRequested"]],
    ["known", "Created", SHOW_STARTING_AFTER_MS, ["Created True InstanceCreated"]],
    ["running", "Running", 0, ["Created True InstanceCreated", "Running True SandboxStarted"]],
    [
      "stopping",
      "Stopping",
      SHOW_ENDING_AFTER_MS,
      ["Created True InstanceCreated", "Running False SandboxStopped"],
    ],
  ] as const)("%s: %s, shown after %i ms", (moment, phase, afterMs, conditions) => {
    const record = life[moment];
    const status = statusOf(record);
    const began = { intended: record.times.startingMs, known: record.times.startingMs, running: 0 };
    expect(status?.phase).toBe(phase);
    expect(status?.fromMs).toBe((moment === "stopping" ? record.times.endingMs! : began[moment]!) + afterMs);
    expect(status?.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual(
      conditions,
    );
  });

  it("tells a failed creation from a failed start, with the reason", () => {
    const failed = { phase: "failed", reason: "no machine in z1" } as const;
    const { instance: _, ...withoutInstance } = life.stopping;
    expect(statusOf({ ...withoutInstance, ...failed })?.conditions).toMatchObject([
      { type: "Created", status: "False", reason: "CreationFailed", message: "no machine in z1" },
    ]);
    expect(statusOf({ ...life.stopping, ...failed })?.conditions).toMatchObject([
      { type: "Created", status: "True" },
      { type: "Running", status: "False", reason: "StartFailed", message: "no machine in z1" },
    ]);
  });

  it("shows one state of a long start: Created only where Requested was not shown", () => {
    const { times } = life.known;
    const instanceMs = times.startingMs! + SHOW_STARTING_AFTER_MS + 1;
    expect(statusOf({ ...life.known, times: { ...times, instanceMs } })).toBeUndefined();
  });

  it("does not exist before the cloud is to be asked", () => {
    expect(statusOf(life.created)).toBeUndefined();
  });
});
