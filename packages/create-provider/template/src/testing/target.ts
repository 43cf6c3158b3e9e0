import { createCallPolicy, type Provider } from "@peerpods/cloud-providers";
import type { ConformanceTarget } from "@peerpods/cloud-providers/conformance";
import { DrivenClock } from "@peerpods/cloud-providers/testing";
import { createClient } from "../client.ts";
import { createProvider } from "../provider.ts";
import { startPretendCloud } from "./pretend-cloud.ts";

/** This provider against the pretend cloud, as the conformance kit wants it. */
export async function prepareTarget(): Promise<{
  readonly target: ConformanceTarget;
  readonly dispose: () => Promise<void>;
}> {
  const apiKey = "acme-secret-canary-7f3a";
  const cloud = await startPretendCloud({ apiKey, images: ["img-podvm"] });
  // Time stands still while a call is on its way, and jumps over waits: the kit takes seconds.
  const clock = new DrivenClock();
  const logged: string[] = [];
  const connect = (change: { readonly apiKey?: string; readonly image?: string } = {}): Promise<Provider> => {
    const config = { endpoint: cloud.endpoint, apiKey, image: "img-podvm", instanceType: "small", ...change };
    const policy = clock.watch(createCallPolicy({ scope: "acme in a test", clock }));
    return Promise.resolve(
      createProvider({ client: createClient(config, policy), config, clock, pollMs: 1_000 }),
    );
  };
  const target: ConformanceTarget = {
    name: "acme",
    abilities: ["inventory"],
    connect: () => connect(),
    clock,
    drive: async (rule) => await clock.runUntil(rule),
    census: () => Promise.resolve([...cloud.instances.keys()]),
    faults: {
      ...cloud.faults,
      stall(fault) {
        const stalled = cloud.faults.stall(fault);
        void stalled.reached.then(() => clock.letGo());
        return stalled;
      },
    },
    userDataOf: (id) =>
      Promise.resolve(Buffer.from(cloud.instances.get(id)?.request.userData ?? "", "base64").toString()),
    maxUserDataBytes: 16_384,
    tagsOf: (id) => Promise.resolve({ [id]: cloud.instances.get(id)?.tags ?? {} }),
    vanish: (id) => {
      cloud.vanish(id);
      return Promise.resolve();
    },
    badSpecs: { type: { instanceType: "no-such-type" }, image: { image: "img-none" } },
    badConnections: {
      "a wrong key": () => connect({ apiKey: "wrong" }),
      "an image that does not exist": () => connect({ image: "img-none" }),
    },
    secrets: { values: [apiKey], logged: () => logged },
    missing: { apiCalls: "nobody has said how few calls this cloud needs" },
    environment: {
      against: "the pretend cloud",
      real: "the client, over HTTP",
      stoodIn: "the cloud: token table, faults, stalled calls",
    },
  };
  return { target, dispose: async () => await cloud[Symbol.asyncDispose]() };
}
