import { abilitiesOf, ProviderError } from "@peerpods/cloud-providers";
import type { CallContext, CreateInstanceRequest, Provider } from "@peerpods/cloud-providers";
import { silentLogger } from "@peerpods/cloud-providers";
import { expect, it } from "vitest";
import { observeProvider } from "./observe-provider.ts";
import type { ObservedCall } from "./observer.ts";

const call: CallContext = { signal: new AbortController().signal, logger: silentLogger };

/** Private state, as real providers have it, must survive the observer in between. */
class Counting implements Provider {
  readonly maxVolumes = 3;
  #calls = 0;
  failure: unknown;
  async createInstance() {
    this.#calls += 1;
    // Providers that anyone has written throw anything.
    // oxlint-disable-next-line typescript/only-throw-error
    if (this.failure !== undefined) throw this.failure;
    return { id: `i-${this.#calls}`, name: "n", addresses: ["192.0.2.1"] };
  }
  async deleteInstance() {
    throw new ProviderError("throttled", "slow down");
  }
  async configVerifier() {
    return [];
  }
  async teardown() {
    this.#calls = 0;
  }
  async attachedVolumes() {
    return [];
  }
}

function setUp() {
  const provider = new Counting();
  const calls: ObservedCall[] = [];
  let time = 0;
  const now = () => (time += 10);
  return { provider, calls, observed: observeProvider(provider, { tell: (one) => calls.push(one), now }) };
}

it("tells name, code, times and sandbox of each call, and passes the answer on", async () => {
  const { observed, calls } = setUp();
  const request = { sandboxId: "sb1" } as CreateInstanceRequest;
  expect(await observed.createInstance(request, call)).toMatchObject({ id: "i-1" });
  await expect(observed.deleteInstance({ token: "t", tags: {} }, call)).rejects.toMatchObject({
    code: "throttled",
  });
  expect(calls).toEqual([
    { name: "createInstance", code: "ok", startMs: 10, endMs: 20, sandboxId: "sb1" },
    { name: "deleteInstance", code: "throttled", startMs: 30, endMs: 40 },
  ]);
});

it.each([
  [new Error("whatever"), "internal"],
  [new DOMException("gone", "AbortError"), "aborted"],
  [new DOMException("late", "TimeoutError"), "timeout"],
  ["a string", "internal"],
])("gives %s the code %s", async (failure, code) => {
  const { provider, observed, calls } = setUp();
  provider.failure = failure;
  await expect(observed.createInstance({} as CreateInstanceRequest, call)).rejects.toBe(failure);
  expect(calls).toMatchObject([{ code }]);
});

it("leaves abilities and properties as they are, and tells nothing of teardown", async () => {
  const { provider, observed, calls } = setUp();
  expect(abilitiesOf(observed)).toEqual(abilitiesOf(provider));
  expect((observed as Counting).maxVolumes).toBe(3);
  await observed.teardown();
  expect(calls).toEqual([]);
});
