import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIpRoute2 } from "../driver/iproute2.ts";
import { type Fault, failingRun } from "../testing/failing-run.ts";
import { Topology, gatewayAddress, pods, workerAddress } from "../testing/topology.ts";
import { listTunnelRules } from "../tunnel/notrack.ts";
import { inspectWorkerNetwork } from "./inspect.ts";
import type { WorkerTunnel } from "./plan.ts";
import { setUpWorkerTunnel } from "./set-up.ts";
import { tearDownWorkerTunnel } from "./tear-down.ts";

const isRoot = process.getuid?.() === 0;
const [first, second] = pods;

describe.skipIf(!isRoot)("worker end (needs root)", () => {
  let topology: Topology;
  let tunnel: WorkerTunnel;
  let secondTunnel: WorkerTunnel;
  const signal = AbortSignal.timeout(100_000);

  beforeAll(async () => {
    topology = await Topology.create();
    const inspect = (pod: typeof first) =>
      inspectWorkerNetwork({ netnsPath: topology.podNetns(pod) }, topology.worker, { signal });
    tunnel = topology.tunnel(first, await inspect(first));
    secondTunnel = topology.tunnel(second, await inspect(second));
  });

  afterAll(async () => {
    await topology?.[Symbol.asyncDispose]();
  });

  const tearDown = (which: WorkerTunnel) => tearDownWorkerTunnel(which, topology.worker, { signal });

  it.each(
    (["refused", "done but timed out"] as const).flatMap((fault) =>
      [0, 1, 2].map((number) => ({ fault, number })),
    ),
  )(
    "undoes everything when run $number is $fault",
    async ({ fault, number }: { fault: Fault; number: number }) => {
      // Another tunnel keeps the table there, so that each set-up makes the same three runs.
      await setUpWorkerTunnel(secondTunnel, topology.worker, { signal });
      try {
        const { run, calls } = failingRun(number, fault);
        const driver = createIpRoute2({ run, hostNetns: topology.namespaces.path("w") });
        await expect(setUpWorkerTunnel(tunnel, driver, { signal })).rejects.toThrow("injected");
        expect(calls.length).toBeGreaterThan(number);
        expect(await topology.leftovers(first)).toEqual([]);
        expect(await topology.leftovers(second)).toHaveLength(3);
      } finally {
        await tearDown(secondTunnel);
      }
      expect(await topology.leftovers(second)).toEqual([]);
    },
  );

  it("undoes everything when aborted while it runs", async () => {
    const abort = new AbortController();
    const { run } = failingRun(-1, "refused");
    const driver = createIpRoute2({
      hostNetns: topology.namespaces.path("w"),
      run: (request) => {
        abort.abort(new Error("caller is gone"));
        return run(request);
      },
    });
    await expect(setUpWorkerTunnel(tunnel, driver, { signal: abort.signal })).rejects.toThrow(
      "caller is gone",
    );
    expect(await topology.leftovers(first)).toEqual([]);
  });

  it("tells what could not be undone", async () => {
    const { run } = failingRun(1, "refused");
    let count = 0;
    const driver = createIpRoute2({
      hostNetns: topology.namespaces.path("w"),
      run: async (request) => {
        count += 1;
        const isRemoval = request.input.startsWith("link del");
        return isRemoval ? { exitCode: 1, stdout: "", stderr: "removal fault" } : run(request);
      },
    });
    const failure = await setUpWorkerTunnel(tunnel, driver, { signal }).catch((error: unknown) => error);
    expect(count).toBeGreaterThan(3);
    expect(failure).toMatchObject({
      code: "command_failed",
      errors: [{ message: expect.stringContaining("removal") }],
    });
    await tearDown(tunnel);
    expect(await topology.leftovers(first)).toEqual([]);
  });

  it("refuses a VXLAN id in use and leaves its owner alone", async () => {
    await setUpWorkerTunnel(tunnel, topology.worker, { signal });
    const same = { ...secondTunnel, vxlanId: tunnel.vxlanId };
    await expect(setUpWorkerTunnel(same, topology.worker, { signal })).rejects.toMatchObject({
      code: "vni_in_use",
      message: expect.stringContaining(String(tunnel.vxlanId)),
    });
    await expect(setUpWorkerTunnel(tunnel, topology.worker, { signal })).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:vni_in_use|exists)$/),
    });
    expect(await topology.leftovers(first)).toHaveLength(3);
    expect(await topology.leftovers(second)).toEqual([]);
    await tearDown(tunnel);
    expect(await topology.leftovers(first)).toEqual([]);
  });

  it.each(["127.0.0.2", workerAddress, gatewayAddress])(
    "refuses %s, an address of this machine, as the VM's",
    async (remote) => {
      await expect(
        setUpWorkerTunnel({ ...tunnel, remote }, topology.worker, { signal }),
      ).rejects.toMatchObject({
        code: "invalid_config",
        message: expect.stringContaining(`remote ${remote} is an address of this machine`),
      });
      expect(await topology.leftovers(first)).toEqual([]);
    },
  );

  it("names a VM's address that no route leads to", async () => {
    await topology.namespaces.ip("w", "route add unreachable 198.51.100.0/24");
    await expect(
      setUpWorkerTunnel({ ...tunnel, remote: "198.51.100.7" }, topology.worker, { signal }),
    ).rejects.toMatchObject({
      code: "command_failed",
      message: expect.stringMatching(/route get 198\.51\.100\.7.*No route to host/),
    });
    expect(await topology.leftovers(first)).toEqual([]);
  });

  it("refuses a pod interface that already has an ingress qdisc, and leaves that", async () => {
    await topology.namespaces.run(first.pod, ["tc", "qdisc", "add", "dev", "eth0", "ingress"]);
    await expect(setUpWorkerTunnel(tunnel, topology.worker, { signal })).rejects.toMatchObject({
      code: "exists",
    });
    expect(await topology.leftovers(first)).toEqual([expect.stringContaining("qdisc ingress")]);
    await topology.namespaces.run(first.pod, ["tc", "qdisc", "del", "dev", "eth0", "ingress"]);
  });

  it("gives an address that another tunnel had to the new one, and keeps it when the old one goes", async () => {
    const later = { ...secondTunnel, remote: tunnel.remote };
    await setUpWorkerTunnel(tunnel, topology.worker, { signal });
    await setUpWorkerTunnel(later, topology.worker, { signal });
    await tearDown(tunnel);
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([
      { remote: tunnel.remote, vxlanPort: 4789, vxlanId: later.vxlanId },
    ]);
    await tearDown(later);
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([]);
  });

  it("finishes a tear-down that failed half way", async () => {
    await setUpWorkerTunnel(tunnel, topology.worker, { signal });
    const { run } = failingRun(/^(?:qdisc|link) del/, "refused");
    const refuseChanges = createIpRoute2({ run, hostNetns: topology.namespaces.path("w") });
    await expect(tearDownWorkerTunnel(tunnel, refuseChanges, { signal })).rejects.toMatchObject({
      code: "tear_down_incomplete",
      errors: [expect.anything(), expect.anything()],
    });
    // The rules went although link and redirect stayed.
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([]);
    await tearDown(tunnel);
    expect(await topology.leftovers(first)).toEqual([]);
  });

  it("takes the redirect off when only the link is gone", async () => {
    await setUpWorkerTunnel(tunnel, topology.worker, { signal });
    await topology.namespaces.ip(first.pod, "link del vxlan1");
    await tearDown(tunnel);
    expect(await topology.leftovers(first)).toEqual([]);
  });

  it("sets up many tunnels of a node at once", async () => {
    const labels = Array.from({ length: 12 }, (_, index) => `m${index}`);
    await topology.namespaces.add(...labels);
    const many = labels.map((label, index) => ({
      ...tunnel,
      netnsPath: topology.namespaces.path(label),
      remote: `192.0.2.${100 + index}`,
      vxlanId: 1000 + index,
    }));
    await Promise.all(labels.map((label) => topology.namespaces.ip(label, "link add eth0 type bridge")));
    await Promise.all(many.map((each) => setUpWorkerTunnel(each, topology.worker, { signal })));
    expect(await listTunnelRules(topology.worker, { signal })).toHaveLength(12);
    await Promise.all(many.map(tearDown));
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([]);
    for (const label of labels) await topology.namespaces.remove(label);
  });

  // Last: it takes the first pod's namespace away.
  it("removes rules whose namespace has gone, and frees the id", async () => {
    await setUpWorkerTunnel(tunnel, topology.worker, { signal });
    await topology.namespaces.remove(first.pod);
    await tearDown(tunnel);
    await tearDown(tunnel);
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([]);
    await expect(setUpWorkerTunnel(tunnel, topology.worker, { signal })).rejects.toMatchObject({
      code: "no_namespace",
    });
    await expect(
      inspectWorkerNetwork({ netnsPath: tunnel.netnsPath }, topology.worker, { signal }),
    ).rejects.toMatchObject({ code: "no_namespace" });
    expect(await listTunnelRules(topology.worker, { signal })).toEqual([]);
    // The kernel removes a namespace's links some time after its name; the id is free from then on.
    await expect
      .poll(
        () =>
          setUpWorkerTunnel({ ...secondTunnel, vxlanId: tunnel.vxlanId }, topology.worker, { signal }).then(
            () => "up",
            String,
          ),
        { timeout: 10_000 },
      )
      .toBe("up");
    await tearDown({ ...secondTunnel, vxlanId: tunnel.vxlanId });
  });
});
