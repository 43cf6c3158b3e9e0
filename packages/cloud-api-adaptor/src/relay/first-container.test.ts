import { expect, it, onTestFinished } from "vitest";
import { dialShim, startFixture } from "./testing/fixture.ts";

const never = { signal: new AbortController().signal };

it("tells when the first container beside the pause container was started, and keeps to it", async () => {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const { table, request } = fixture;
  const wanted = request("sb1");
  await table.open(wanted, never);
  const events = table.watch({ signal: AbortSignal.timeout(5_000) })[Symbol.asyncIterator]();
  const shim = await dialShim(wanted.socketPath);
  onTestFinished(() => shim[Symbol.asyncDispose]());
  const firstContainerMs = async () => (await table.list(never))[0]?.firstContainerMs;
  // The agent of this test starts nothing; the relay looks at what is asked.
  const start = (containerId: string) => shim.agent.startContainer({ containerId }).catch(() => undefined);

  await start("sb1");
  expect(await firstContainerMs()).toBeUndefined();
  const before = Date.now();
  await start("workload");
  const at = await firstContainerMs();
  expect(at).toBeGreaterThanOrEqual(before);
  for (;;) {
    const { value } = await events.next();
    if (value?.type === "changed" && value.sandbox.firstContainerMs === at) break;
  }
  await start("sidecar");
  expect(await firstContainerMs()).toBe(at);
});
