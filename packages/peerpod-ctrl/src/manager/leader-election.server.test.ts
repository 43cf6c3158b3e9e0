import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { until } from "@peerpods/test-harness";
import { silentLogger, systemClock, type Clock } from "@peerpods/cloud-providers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leases } from "../kubernetes/core.ts";
import { resource } from "../kubernetes/resource.ts";
import { startPeerPodCluster, type PeerPodCluster } from "../testing/cluster.ts";
import { lead } from "./leader-election.ts";

const missing = await missingBinaries();
const times = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 200 };

describe.skipIf(missing !== undefined)(
  `leader election${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let api: PeerPodCluster;
    beforeAll(async () => {
      await prepareBinaries();
      api = await startPeerPodCluster({ crd: false });
    }, 1_800_000);
    afterAll(() => api?.[Symbol.asyncDispose]());

    /** A replica that works until it is told to stop. */
    function replica(name: string, identity: string, clock: Clock = systemClock) {
      const stop = new AbortController();
      const state = { leading: false, led: 0 };
      const done = lead(
        api.kube,
        { namespace: "default", name, identity, clock, logger: silentLogger, times, stop: stop.signal },
        async (signals) => {
          state.leading = true;
          state.led += 1;
          const { promise, resolve } = Promise.withResolvers<void>();
          if (signals.stop.aborted) resolve();
          signals.stop.addEventListener("abort", () => resolve(), { once: true });
          await promise;
          state.leading = false;
        },
      );
      done.catch(() => undefined);
      return { state, done, stop: () => stop.abort() };
    }
    const shifted = (ms: number): Clock => ({
      now: () => systemClock.now() + ms,
      sleep: (pauseMs, options) => systemClock.sleep(pauseMs, options),
    });
    const read = (name: string) => resource(api.kube, leases).get({ namespace: "default", name });

    it("lets one of several lead, whatever their clocks say, and the next one as soon as it has stopped", async () => {
      const all = [
        replica("turns", "a"),
        replica("turns", "b", shifted(3_600_000)),
        replica("turns", "c", shifted(-3_600_000)),
      ];
      for (let round = 1; round <= 3; round += 1) {
        const leader = await until("one leads", () => all.find(({ state }) => state.leading));
        // Longer than a lease: the others must see it renewed, not count its times.
        await systemClock.sleep(times.leaseMs + 500);
        expect(all.filter(({ state }) => state.leading)).toEqual([leader]);
        leader.stop();
        await leader.done;
      }
      expect(all.map(({ state }) => state.led)).toEqual([1, 1, 1]);
      expect((await read("turns")).spec?.leaseTransitions).toBeGreaterThanOrEqual(3);
    });

    it("stops work and says so when another one has taken the lease", async () => {
      const one = replica("taken", "a");
      await until("it leads", () => one.state.leading);
      await resource(api.kube, leases).patch(
        { namespace: "default", name: "taken" },
        { spec: { holderIdentity: "somebody" } },
      );
      await expect(one.done).rejects.toThrow("leader election lost: taken is held by somebody");
      expect(one.state.leading).toBe(false);
      expect((await read("taken")).spec?.holderIdentity).toBe("somebody");
    });

    it("goes on leading when somebody edits the lease without taking it", async () => {
      const one = replica("edited", "a");
      await until("it leads", () => one.state.leading);
      await resource(api.kube, leases).patch(
        { namespace: "default", name: "edited" },
        { metadata: { labels: { by: "hand" } } },
      );
      const { renewTime } = (await read("edited")).spec ?? {};
      await until("it is renewed", async () => (await read("edited")).spec?.renewTime !== renewTime);
      expect(one.state.leading).toBe(true);
      one.stop();
      await one.done;
    });

    it("gives up leading when the API server stays away, and takes the lease again later", async () => {
      const one = replica("away", "a");
      await until("it leads", () => one.state.leading);
      await api.cluster.pause();
      await expect(one.done).rejects.toThrow("could not be renewed");
      await api.cluster.resume();
      const next = replica("away", "b");
      await until("the next one leads", () => next.state.leading);
      next.stop();
      await next.done;
    });
  },
);
