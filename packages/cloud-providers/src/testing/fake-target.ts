import { inspect } from "node:util";
import { abilityNames, type AbilityName } from "../abilities.ts";
import type { CallPolicy } from "../call-policy/call-policy.ts";
import type { Clock } from "../clock.ts";
import type { ConformanceTarget, FaultFacility } from "../conformance/target.ts";
import type { Provider } from "../contract.ts";
import type { Logger } from "../logger.ts";
import { FakeClock } from "./fake-clock.ts";
import { createFakeCloud, type FakeCloud, type FakeCloudOptions } from "./fake-cloud/fake-cloud.ts";
import { fakeProvider, type FakeProviderOptions } from "./fake-provider/manager.ts";
import { fakeOptionValues } from "./fake-provider/options.ts";

/** How {@link createFakeTarget} deviates from the ordinary. */
export interface FakeTargetOptions extends Omit<FakeProviderOptions, "policy"> {
  /** Brings all calls under a policy on the target's clock. Default: none. */
  readonly policy?: (clock: Clock) => CallPolicy;
  readonly cloud?: Omit<FakeCloudOptions, "clock" | "accessKey" | "volumes">;
  /** What the provider claims. Default: everything. */
  readonly abilities?: readonly AbilityName[];
  /** Stands between the kit and each connection, e.g. to break a rule on purpose. */
  readonly wrap?: (provider: Provider, cloud: FakeCloud) => Provider;
}

/** A fake cloud and its provider as a target of the conformance kit, with every facility. */
export interface FakeTarget {
  readonly target: ConformanceTarget;
  readonly cloud: FakeCloud;
}

const ACCESS_KEY = "fake-access-key-canary-5b1f";

export function createFakeTarget(options: FakeTargetOptions = {}): FakeTarget {
  const clock = new FakeClock();
  const volumes = ["vol-1", "vol-2", "vol-3"];
  const cloud = createFakeCloud({ ...options.cloud, clock, accessKey: ACCESS_KEY, volumes });
  const { make, policy } = options;
  const connection: FakeProviderOptions = {
    ...(make === undefined ? {} : { make }),
    ...(policy === undefined ? {} : { policy: policy(clock) }),
  };
  const logged: string[] = [];
  const connect = async (env: Readonly<Record<string, string>> = {}) => {
    const provider = await fakeProvider(cloud, connection).newProvider({
      config: fakeOptionValues({ FAKE_ACCESS_KEY: ACCESS_KEY, FAKE_PUBLIC_IP: "true", ...env }),
      logger: collectingLogger(logged),
      stateDir: "/nonexistent",
      env: {},
    });
    return options.wrap?.(provider, cloud) ?? provider;
  };
  const target: ConformanceTarget = {
    name: "fake",
    abilities: options.abilities ?? abilityNames,
    connect: () => connect(),
    clock,
    drive: (rule) => clock.runUntil(rule),
    undoMs: 10 * (options.cloud?.latencyMs ?? 0),
    census: () => Promise.resolve(census(cloud)),
    faults: faultsOf(cloud),
    apiCalls: { seen: () => cloud.calls.map(({ step }) => step), reference: fewestCalls },
    userDataOf: (id) => Promise.resolve(userDataOf(cloud, id)),
    maxUserDataBytes: cloud.account.setup.maxUserDataBytes,
    tagsOf: (instanceId) => Promise.resolve(tagsOf(cloud, instanceId)),
    vanish: (id) => Promise.resolve(cloud.account.terminateInstance(id)),
    capacity: (placement, available) =>
      Promise.resolve(available ? cloud.replenish(placement) : cloud.exhaust(placement)),
    volumes,
    imageFile: { path: "/nonexistent/podvm.raw", format: "raw", arch: "amd64" },
    badSpecs: {
      type: { instanceType: "no-such-type" },
      image: { image: "img-no-such" },
      size: { vcpus: 4096 },
    },
    badConnections: {
      "a wrong access key": () => connect({ FAKE_ACCESS_KEY: `${ACCESS_KEY}-wrong` }),
      "an image that does not exist": () => connect({ FAKE_IMAGE: "img-no-such" }),
    },
    secrets: { values: [ACCESS_KEY], logged: () => logged },
    environment: {
      against: "`createFakeCloud`",
      real: "nothing; it holds the kit itself to its rules",
      stoodIn: "a cloud with token table, capacity, faults and latency",
    },
  };
  return { target, cloud };
}

/** With a public address, which has no token and is therefore looked for first. */
const fewestCalls = [
  "runInstance",
  "describeResources",
  "allocateAddress",
  "associateAddress",
  "describeInstances",
  "terminateInstance",
  "releaseAddress",
];

function census({ account }: FakeCloud): readonly string[] {
  const { interfaces, disks, addresses } = account.resources({});
  const instances = account.instances({}).filter(({ state }) => state !== "terminated");
  return [...instances, ...interfaces, ...disks, ...addresses].map(({ id }) => id);
}

function faultsOf(cloud: FakeCloud): FaultFacility {
  return {
    callCount: () => cloud.calls.length,
    inject: (fault) => cloud.faults.add(fault),
    stall: ({ after, acted }) => cloud.faults.add({ kind: acted ? "hang_after" : "hang", after }),
  };
}

function userDataOf({ account }: FakeCloud, id: string): string {
  const [instance] = account.instances({ id });
  return Buffer.from(instance?.request.userData ?? "", "base64").toString("utf8");
}

function tagsOf(
  { account }: FakeCloud,
  instanceId: string,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const [instance] = account.instances({ id: instanceId });
  const { interfaces, disks, addresses } = account.resources({ instanceId });
  const resources = [...interfaces, ...disks, ...addresses].map(({ id, tags }) => [id, tags] as const);
  return Object.fromEntries([[instanceId, instance?.request.tags ?? {}] as const, ...resources]);
}

function collectingLogger(lines: string[]): Logger {
  const log = (fields: object, message: string) =>
    void lines.push(`${message} ${inspect(fields, { depth: 8 })}`);
  return { debug: log, info: log, warn: log, error: log };
}
