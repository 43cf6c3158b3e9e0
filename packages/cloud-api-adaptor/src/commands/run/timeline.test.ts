import { createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { Control } from "../../gen/peerpods/control/v1/control_pb.ts";
import { collectTimeline } from "./timeline.ts";

const sandboxId = "sb1";

/** A daemon that tells this of the sandbox. */
function daemonTelling(events: () => AsyncGenerator<object>) {
  return createClient(
    Control,
    createRouterTransport((router) => router.service(Control, { watchSandboxes: events })),
  );
}

const changed = (phase: string, ...timeline: readonly { name: string; atMs: number }[]): object => ({
  event: { case: "changed", value: { sandboxId, phase, timeline } },
});

describe("the timeline of a run", () => {
  it("puts the daemon's stamps and the pod's own into one order, and ends when the sandbox is gone", async () => {
    const now = Date.now();
    const told = Promise.withResolvers<void>();
    const timeline = collectTimeline(
      daemonTelling(async function* () {
        yield changed("created", { name: "created", atMs: now + 10 });
        yield changed("running", { name: "created", atMs: now + 10 }, { name: "running", atMs: now + 500 });
        told.resolve();
        yield { event: { case: "gone", value: sandboxId } };
      }),
      sandboxId,
    );
    const phases: string[] = [];
    timeline.onPhase((phase) => phases.push(phase));
    timeline.mark("CreateVM");
    await told.promise;
    await timeline.settle();
    const stamps = JSON.parse(timeline.json()) as { name: string; by: string; atMs: number }[];
    expect(new Set(stamps.map(({ name, by }) => `${by} ${name}`))).toEqual(
      new Set(["pod CreateVM", "daemon created", "daemon running", "daemon gone"]),
    );
    expect(stamps.map(({ atMs }) => atMs)).toEqual(stamps.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    expect(phases).toEqual(["created", "running"]);
    expect(timeline.text()).toMatch(/AT +STEP +BY +WHAT\n/);
  });

  it("is only shorter when the daemon cannot be asked", async () => {
    const timeline = collectTimeline(
      // oxlint-disable-next-line require-yield -- the daemon fails before it tells anything
      daemonTelling(async function* () {
        throw new Error("no daemon");
      }),
      sandboxId,
    );
    timeline.mark("CreateVM");
    await timeline.settle();
    expect(JSON.parse(timeline.json())).toEqual([expect.objectContaining({ name: "CreateVM", by: "pod" })]);
  });
});
