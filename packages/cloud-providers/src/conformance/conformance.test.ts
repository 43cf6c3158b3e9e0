import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { abilityNames } from "../abilities.ts";
import type { ConsoleLogs, Inventory, MultiNic, PlacementAware, Spot, Volumes } from "../abilities.ts";
import { createCallPolicy } from "../call-policy/call-policy.ts";
import type { CallContext, CreateInstanceRequest, Provider } from "../contract.ts";
import { isProviderError, ProviderError } from "../errors.ts";
import { guardProvider } from "../guard/guard-provider.ts";
import { silentLogger } from "../logger.ts";
import type { FakeCloud } from "../testing/fake-cloud/fake-cloud.ts";
import { FakeProvider } from "../testing/fake-provider/provider.ts";
import { createFakeTarget, type FakeTargetOptions } from "../testing/fake-target.ts";
import { defineConformanceTests } from "./define-tests.ts";
import { conforms, type ConformanceReport } from "./report.ts";
import { conformanceRules } from "./rules/index.ts";
import { runConformance } from "./run.ts";

type AnyProvider = Provider & Inventory & PlacementAware & Volumes & MultiNic & Spot & ConsoleLogs;

const generous = {
  bucket: { capacity: 1_000, refillPerSecond: 1_000 },
  breaker: { failures: 1_000, openMs: 1 },
};

describe("a good provider", () => {
  defineConformanceTests({ afterAll, beforeAll, describe, it }, () => Promise.resolve(createFakeTarget()));

  it.each<[string, FakeTargetOptions]>([
    ["over a slow cloud", { cloud: { latencyMs: 100, bootMs: 3_000 } }],
    ["with retries", { policy: (clock) => createCallPolicy({ scope: "fake", clock, ...generous }) }],
    [
      "behind the guard",
      { wrap: (provider) => guardProvider(provider, { name: "fake", logger: silentLogger }) },
    ],
  ])(
    "keeps every rule %s",
    async (_how, options) => {
      const report = await runConformance(createFakeTarget(options).target);
      expect(report.results.filter(({ status }) => status !== "passed")).toEqual([]);
      expect(conforms(report)).toBe(true);
    },
    60_000,
  );

  it("that offers nothing more is not asked for more", async () => {
    const bare = (provider: Provider): Provider => ({
      createInstance: (request, call) => {
        const { multiNic, spot, volumes } = request.spec;
        if (multiNic || spot === true || volumes.length > 0)
          return Promise.reject(new ProviderError("invalid_request", "not offered"));
        return provider.createInstance(request, call);
      },
      deleteInstance: (request, call) => provider.deleteInstance(request, call),
      configVerifier: (call) => provider.configVerifier(call),
      teardown: () => provider.teardown(),
    });
    const report = await runConformance(createFakeTarget({ abilities: [], wrap: bare }).target);
    const statuses = new Map(report.results.map(({ id, status }) => [id, status]));
    expect(report.results.filter(({ status }) => status === "failed")).toEqual([]);
    for (const rule of conformanceRules)
      expect([rule.id, statuses.get(rule.id)]).toEqual([rule.id, rule.abilities ? "not_offered" : "passed"]);
  });
});

/** A provider that breaks a rule, and the rules that must find it out. */
interface Defect {
  readonly what: string;
  readonly breaks: readonly string[];
  readonly options: FakeTargetOptions;
}

/** Overrides methods of a connection. */
function wrapped(
  change: (provider: AnyProvider, cloud: FakeCloud) => Partial<AnyProvider>,
): FakeTargetOptions {
  return {
    wrap: (provider, cloud) =>
      new Proxy(provider, {
        get(original, key) {
          const changed = change(original as AnyProvider, cloud) as Record<string | symbol, unknown>;
          const value: unknown = key in changed ? changed[key] : Reflect.get(original, key);
          return typeof value === "function" ? (value as () => unknown).bind(original) : value;
        },
      }),
  };
}

const changedRequest = (change: (request: CreateInstanceRequest) => CreateInstanceRequest) =>
  wrapped((provider) => ({
    createInstance: (request, call) => provider.createInstance(change(request), call),
  }));

/** Answers also when the call is over. */
const deaf = (call: CallContext): CallContext => ({ ...call, signal: new AbortController().signal });

let serial = 0;

/** Rules that need a second deletion to finish what a first one, or someone else, has begun. */
const deletionInSteps = [
  "abort-delete",
  "delete-after-it-vanished",
  "fault-delete-reset-after",
  "fault-delete-reset-before",
  "fault-delete-server-error",
  "fault-delete-throttle",
];

const defects: readonly Defect[] = [
  {
    what: "names the instance as it likes",
    breaks: ["create-answer", "name-longest"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => ({
        ...(await provider.createInstance(request, call)),
        name: "vm",
      }),
    })),
  },
  {
    what: "answers without an address",
    breaks: ["create-answer", "inventory-get"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => ({
        ...(await provider.createInstance(request, call)),
        addresses: [],
      }),
    })),
  },
  {
    what: "cuts the name",
    breaks: ["name-longest"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => {
        const instance = await provider.createInstance(request, call);
        return { ...instance, name: instance.name.slice(0, 47) };
      },
    })),
  },
  {
    what: "gives one address to all",
    breaks: ["create-parallel", "inventory-get"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => ({
        ...(await provider.createInstance(request, call)),
        addresses: ["192.0.2.1"],
      }),
    })),
  },
  {
    what: "takes any token",
    breaks: ["token-malformed"],
    options: changedRequest((request) => ({
      ...request,
      token: /^[a-z0-9-]{1,64}$/.test(request.token) ? request.token : `mended-${(serial += 1)}`,
    })),
  },
  {
    what: "answers another request with the first one's instance",
    breaks: ["token-other-request"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => {
        try {
          return await provider.createInstance(request, call);
        } catch (error) {
          const known =
            (error as ProviderError).code === "conflict"
              ? await provider.getInstance(request, call)
              : undefined;
          if (known === undefined) throw error;
          return { id: known.id, name: known.name, addresses: known.addresses };
        }
      },
    })),
  },
  {
    what: "gives the dead machine back",
    breaks: ["token-of-dead"],
    options: wrapped((provider, cloud) => ({
      createInstance: async (request, call) => {
        const [dead] = cloud.account.instances({ tags: request.tags });
        if (dead?.state !== "terminated") return await provider.createInstance(request, call);
        return { id: dead.id, name: request.name, addresses: ["192.0.2.1"] };
      },
    })),
  },
  {
    what: "complains about what it has deleted",
    breaks: ["delete-twice"],
    options: (() => {
      const deleted = new Set<string | undefined>();
      return wrapped((provider) => ({
        deleteInstance: async (request, call) => {
          if (request.instanceId && deleted.has(request.token))
            throw new ProviderError("not_found", "it does not exist");
          await provider.deleteInstance(request, call);
          if (request.token) deleted.add(request.token);
        },
      }));
    })(),
  },
  {
    what: "complains about what never was",
    breaks: ["delete-unknown", "fault-lasting"],
    options: wrapped((provider, cloud) => ({
      deleteInstance: async (request, call) => {
        await provider.deleteInstance(request, call);
        const known = cloud.account.instances({}).some(({ request: { token } }) => token === request.token);
        if (request.token !== undefined && !known) throw new ProviderError("not_found", "it does not exist");
      },
    })),
  },
  {
    what: "deletes what is not named at all",
    breaks: ["delete-nothing-named"],
    options: wrapped((provider) => ({
      deleteInstance: async (request, call) => {
        if (request.instanceId || request.token) await provider.deleteInstance(request, call);
      },
    })),
  },
  {
    what: "has a bad word for odd ids",
    breaks: ["delete-odd-id"],
    options: wrapped((provider) => ({
      deleteInstance: async (request, call) => {
        if (request.instanceId?.includes("$")) throw new ProviderError("internal", "sh: syntax error");
        await provider.deleteInstance(request, call);
      },
    })),
  },
  {
    what: "deletes what is another's",
    breaks: ["delete-foreign"],
    options: wrapped((provider) => ({
      deleteInstance: async (request, call) => await provider.deleteInstance({ ...request, tags: {} }, call),
    })),
  },
  {
    what: "cannot delete by token",
    breaks: ["delete-by-token", "fault-lasting"],
    options: wrapped((provider) => ({
      deleteInstance: async (request, call) => {
        call.signal.throwIfAborted();
        if (request.instanceId || !request.token) await provider.deleteInstance(request, call);
      },
    })),
  },
  {
    what: "forgets the second interface when it deletes",
    breaks: ["delete-all-of-it", "fault-lasting", ...deletionInSteps],
    options: {
      make: (parts) => {
        const { client } = parts;
        const forgetful: typeof client = {
          call: (step, call, act) =>
            step === "deleteInterface"
              ? Promise.resolve(undefined as ReturnType<typeof act>)
              : client.call(step, call, act),
        };
        const provider = new FakeProvider(parts);
        const leaking = new FakeProvider({ ...parts, client: forgetful });
        provider.deleteInstance = (request, call) => leaking.deleteInstance(request, call);
        return provider;
      },
    },
  },
  {
    what: "looks no further when the instance is gone",
    breaks: deletionInSteps,
    options: wrapped((provider, cloud) => ({
      deleteInstance: async (request, call) => {
        const made = cloud.account.instances({ tags: request.tags });
        const gone = made.length > 0 && made.every(({ state }) => state === "terminated");
        if (!gone || request.instanceId === undefined) await provider.deleteInstance(request, call);
      },
    })),
  },
  {
    what: "sends tags astray",
    breaks: ["tags-on-instance"],
    options: wrapped((provider) => ({
      getInstance: async (reference, call) => {
        const record = await provider.getInstance(reference, call);
        return record && { ...record, tags: { ...record.tags, "peerpods-pod": "another" } };
      },
    })),
  },
  {
    what: "lists what was deleted",
    breaks: ["inventory-list"],
    options: wrapped((_provider, cloud) => ({
      listInstances: (tags) =>
        Promise.resolve(
          cloud.account.instances({ tags }).map(({ id, request }) => ({
            id,
            name: request.name,
            addresses: [],
            state: "unknown",
            tags: request.tags,
          })),
        ),
    })),
  },
  {
    what: "mangles the user data",
    breaks: ["user-data-intact"],
    options: changedRequest((request) => ({ ...request, userData: request.userData.normalize("NFKC") })),
  },
  {
    what: "cuts user data that is too long",
    breaks: ["user-data-limit"],
    options: changedRequest((request) => ({
      ...request,
      userData: Buffer.from(request.userData).subarray(0, 16_384).toString(),
    })),
  },
  {
    what: "takes another type for one that does not exist",
    breaks: ["spec-names-nothing"],
    options: changedRequest((request) => ({
      ...request,
      spec: {
        ...request.spec,
        instanceType: request.spec.instanceType === "no-such-type" ? "" : request.spec.instanceType,
      },
    })),
  },
  {
    what: "ignores the order of volumes",
    breaks: ["volumes"],
    options: changedRequest((request) => ({
      ...request,
      spec: {
        ...request.spec,
        volumes: request.spec.volumes.toSorted((a, b) => (a.diskId < b.diskId ? -1 : 1)),
      },
    })),
  },
  {
    what: "leaves out volumes that do not exist",
    breaks: ["volumes-missing"],
    options: changedRequest((request) => ({
      ...request,
      spec: {
        ...request.spec,
        volumes: request.spec.volumes.filter(({ diskId }) => /^vol-[123]$/.test(diskId)),
      },
    })),
  },
  {
    what: "gives no second interface",
    breaks: ["multi-nic"],
    options: changedRequest((request) => ({ ...request, spec: { ...request.spec, multiNic: false } })),
  },
  {
    what: "sells spot machines for ordinary ones",
    breaks: ["spot"],
    options: changedRequest((request) => ({ ...request, spec: { ...request.spec, spot: true } })),
  },
  {
    what: "shows more of its logs than was asked for",
    breaks: ["console-logs"],
    options: wrapped((provider) => ({
      consoleLogs: (request, call) => provider.consoleLogs({ ...request, maxBytes: 4_096 }, call),
    })),
  },
  {
    what: "has an ability that it does not declare",
    breaks: ["abilities-declared"],
    options: { abilities: abilityNames.filter((name) => name !== "placements") },
  },
  {
    what: "does not refuse what it does not offer",
    breaks: ["abilities-refused"],
    options: {
      abilities: abilityNames.filter((name) => name !== "spot"),
      ...wrapped(() => ({ spotState: undefined as never })),
    },
  },
  {
    what: "forgets where there was no capacity",
    breaks: ["placements-no-capacity"],
    options: wrapped(() => ({
      placements: () =>
        Promise.resolve([
          { instanceType: "small", zone: "a" },
          { instanceType: "small", zone: "b" },
        ]),
    })),
  },
  {
    what: "says nothing of a broken configuration",
    breaks: ["verifier-complains"],
    options: wrapped(() => ({ configVerifier: () => Promise.resolve([]) })),
  },
  {
    what: "complains about a good configuration",
    breaks: ["verifier-content"],
    options: wrapped(() => ({
      configVerifier: () => Promise.resolve([{ severity: "error", subject: "x", message: "y", remedy: "z" }]),
    })),
  },
  {
    what: "begins although the call is over, and cannot be stopped",
    breaks: ["abort-before"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) =>
        await provider.createInstance(request, call.signal.aborted ? deaf(call) : call),
    })),
  },
  {
    what: "does not undo",
    breaks: [
      "abort-create",
      "deadline-create",
      "fault-create-throttle",
      "fault-create-server-error",
      "fault-create-reset-before",
      "fault-create-reset-after",
      "fault-lasting",
    ],
    options: {
      make: (parts) =>
        new (class extends FakeProvider {
          protected override undo(): Promise<readonly string[]> {
            return Promise.resolve([]);
          }
        })(parts),
    },
  },
  {
    what: "keeps silent about what it could not undo",
    breaks: ["fault-lasting"],
    options: {
      make: (parts) =>
        new (class extends FakeProvider {
          protected override async undo(
            ...args: Parameters<FakeProvider["undo"]>
          ): Promise<readonly string[]> {
            await super.undo(...args);
            return [];
          }
        })(parts),
    },
  },
  {
    what: "takes a lost answer for a refusal",
    breaks: ["fault-create-reset-after"],
    options: {
      make: (parts) => {
        let lost = false;
        const client: typeof parts.client = {
          async call(step, call, act) {
            try {
              return await parts.client.call(step, call, act);
            } catch (error) {
              lost ||= step === "runInstance" && (error as ProviderError).code === "unavailable";
              throw error;
            }
          },
        };
        return new (class extends FakeProvider {
          protected override async undo(
            ...args: Parameters<FakeProvider["undo"]>
          ): Promise<readonly string[]> {
            const left = lost ? [] : await super.undo(...args);
            lost = false;
            return left;
          }
        })({ ...parts, client });
      },
    },
  },
  {
    what: "throws the SDK's errors as they are",
    breaks: [
      "spec-names-nothing",
      "configuration-refused",
      "fault-create-throttle",
      "fault-create-server-error",
      "fault-create-reset-before",
      "fault-create-reset-after",
      "fault-lasting",
      "placements-no-capacity",
      "token-other-request",
    ],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => {
        try {
          return await provider.createInstance(request, call);
        } catch (error) {
          const cause = (error as Error).cause;
          throw cause instanceof Error && cause.name === "FakeCloudError" ? cause : error;
        }
      },
    })),
  },
  {
    what: "asks again and again what it knows",
    breaks: ["call-count", "user-data-limit"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => {
        for (let look = 0; look < 3; look++) {
          await provider.getInstance(request, call);
          await provider.attachedVolumes(request, call);
        }
        return await provider.createInstance(request, call);
      },
    })),
  },
  {
    what: "takes throttling for an inner error",
    breaks: ["fault-delete-throttle"],
    options: wrapped((provider) => ({
      deleteInstance: async (request, call) => {
        try {
          await provider.deleteInstance(request, call);
        } catch (error) {
          if ((error as ProviderError).code === "throttled")
            throw new ProviderError("internal", "odd", { cause: error });
          throw error;
        }
      },
    })),
  },
  {
    what: "tells the access key when it fails",
    breaks: ["secrets"],
    options: wrapped((provider) => ({
      createInstance: async (request, call) => {
        try {
          return await provider.createInstance(request, call);
        } catch (error) {
          if (!isProviderError(error)) throw error;
          const { code, left } = error;
          throw new ProviderError(code, "GET /?key=fake-access-key-canary-5b1f", { cause: error, left });
        }
      },
    })),
  },
];

describe("a provider that", () => {
  it.each(defects)(
    "$what is found out",
    async ({ breaks, options }) => {
      const report = await runConformance(createFakeTarget(options).target);
      expect(failed(report)).toEqual(breaks.toSorted());
      expect(conforms(report)).toBe(false);
    },
    60_000,
  );
});

function failed({ results }: ConformanceReport): readonly string[] {
  return results.flatMap(({ id, status }) => (status === "failed" ? [id] : [])).toSorted();
}
