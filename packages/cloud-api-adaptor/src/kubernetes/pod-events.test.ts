import { readFile } from "node:fs/promises";
import { ProviderError } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import type { SandboxRecord } from "../sandbox/record.ts";
import { settle } from "../sandbox/testing/settle.ts";
import { createRequest, patient, sandboxId, World } from "../sandbox/testing/world.ts";
import { followToCluster } from "./follow.ts";
import { eventReasons } from "./pod-events.ts";

/** Tells what is heard of the sandboxes of a daemon. */
async function hear(
  world: World,
  act: (daemon: Awaited<ReturnType<World["daemon"]>>) => Promise<void>,
): Promise<{ told: string[]; tracked: SandboxRecord[]; forgotten: string[] }> {
  const heard = { told: [] as string[], tracked: [] as SandboxRecord[], forgotten: [] as string[] };
  const daemon = await world.daemon();
  await using _following = followToCluster(daemon, {
    keeper: {
      adopt: () => undefined,
      track: (record) => void heard.tracked.push(record),
      forget: (id) => void heard.forgotten.push(id),
    },
    teller: { tell: (_, { type, reason, message }) => void heard.told.push(`${type} ${reason}: ${message}`) },
    lookup: { forget: () => undefined },
    cloudProvider: "fake",
  });
  await act(daemon);
  await settle();
  return heard;
}

describe("Events of a pod", () => {
  it("tell its whole life", async () => {
    await using world = new World();
    const { told, tracked, forgotten } = await hear(world, async (daemon) => {
      await daemon.create(createRequest(), patient);
      await daemon.start(sandboxId, patient);
      await settle();
      await daemon.stop(sandboxId);
    });
    expect(told).toEqual([
      expect.stringMatching(/^Normal PodVMRequested: fake is asked for a pod VM \(sandbox 0f1e2d3c0f1e\)$/),
      expect.stringMatching(/^Normal PodVMCreated: fake instance i-\S+ at 198.51.100.7, after 0.0 s$/),
      expect.stringMatching(/^Normal PodVMRunning: the pod VM is connected, 0.0 s after it was asked for$/),
      expect.stringMatching(/^Normal PodVMStopping: the pod VM is being deleted: StopVM$/),
      expect.stringMatching(/^Normal PodVMDeleted: fake has confirmed that instance i-\S+ is gone$/),
    ]);
    expect(tracked.at(-1)?.phase).toBe("stopping");
    expect(forgotten).toEqual([sandboxId]);
  });

  it("tell why a start failed, and what to do", async () => {
    await using world = new World();
    world.cloud.full.add("z1");
    const { told } = await hear(world, async (daemon) => {
      await daemon.create(createRequest(), patient);
      await daemon.start(sandboxId, patient).catch(() => undefined);
    });
    const failure = told.find((text) => text.startsWith("Warning"));
    expect(failure).toMatch(/^Warning PodVMFailed: .*no machine in z1.*; allow more machine types or zones/);
  });

  it("go by the code of the cloud's refusal, below what wraps it", async () => {
    await using world = new World();
    world.cloud.before = async (call) => {
      if (call === "create")
        throw new ProviderError("unauthorized", "the key is refused", {
          cause: Object.assign(new Error("401"), { code: "ECLOUD" }),
        });
    };
    const { told, tracked } = await hear(world, async (daemon) => {
      await daemon.create(createRequest(), patient);
      await daemon.start(sandboxId, patient).catch(() => undefined);
    });
    expect(told.join("\n")).toMatch(/PodVMFailed: .*the key is refused.*; give the daemon credentials/);
    expect(tracked.at(-1)?.failureCode).toBe("unauthorized");
  });

  it("tell of a removal that does not work, once for each cause", async () => {
    await using world = new World();
    let tries = 0;
    world.cloud.before = async (call) => {
      if (call === "delete" && (tries += 1) < 4) throw new ProviderError("unavailable", "the cloud is down");
    };
    const { told } = await hear(world, async (daemon) => {
      await daemon.create(createRequest(), patient);
      await daemon.start(sandboxId, patient);
      await daemon.stop(sandboxId);
      await settle();
      await world.clock.advance(60_000);
    });
    const warnings = told.filter((text) => text.startsWith("Warning"));
    expect(warnings).toEqual([
      expect.stringMatching(/^Warning PodVMNotRemoved: the cloud is down; it is tried/),
    ]);
    expect(tries).toBe(4);
  });

  it("say nothing of a sandbox that never asked for a VM", async () => {
    await using world = new World();
    const { told } = await hear(world, async (daemon) => {
      await daemon.create(createRequest(), patient);
      await settle();
      await daemon.stop(sandboxId);
    });
    expect(told.filter((text) => !text.includes("PodVMStopping"))).toEqual([]);
  });

  it("are documented one by one", async () => {
    const text = await readFile(new URL("../../../../docs/observability.md", import.meta.url), "utf8");
    const section = text.split(/^## /m).find((part) => part.startsWith("Events\n")) ?? "";
    const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);
    expect(documented).toEqual(Object.values(eventReasons));
  });
});
