import { inspect } from "node:util";
import {
  abilitiesOf,
  connectProvider,
  systemClock,
  tagKeys,
  UNDO_TIMEOUT_MS,
  type CloudProvider,
  type Logger,
  type OptionValues,
  type Provider,
} from "@peerpods/cloud-providers";
import type { ConformanceTarget } from "@peerpods/cloud-providers/conformance";

/** How a provider is connected. */
export interface Connection {
  readonly config: OptionValues;
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A real account as a target of the conformance kit. */
export interface AccountTarget {
  readonly target: ConformanceTarget;
  readonly connect: () => Promise<Provider>;
  /** Cluster ids under which anything was asked for, so that it can be found again. */
  readonly clusterIds: ReadonlySet<string>;
}

const real = "not on a real account";

/**
 * A real account tells only through the provider what exists in it, and its calls cannot be made to fail. What needs more
 * than that is skipped, with the reason, and never passed.
 */
export async function accountTarget(
  cloudProvider: CloudProvider,
  connection: Connection,
): Promise<AccountTarget> {
  const clusterIds = new Set<string>();
  const logged: string[] = [];
  const logger = collecting(logged);
  const connect = async () =>
    noting(await connectProvider(cloudProvider, { ...connection, logger }), clusterIds);
  const first = await connect();
  const abilities = abilitiesOf(first);
  await first.teardown();
  const secrets = secretValues(cloudProvider, connection.config);
  const target: ConformanceTarget = {
    name: cloudProvider.name,
    abilities,
    connect,
    clock: systemClock,
    undoMs: UNDO_TIMEOUT_MS,
    parallel: 3,
    ...(secrets.length === 0 ? {} : { secrets: { values: secrets, logged: () => logged } }),
    missing: {
      census: `${real}: only the provider itself could say what exists`,
      faults: `${real}: calls of its API cannot be made to fail`,
      apiCalls: `${real}: calls of its API are not seen`,
      userDataOf: `${real}: the guest cannot be asked`,
      maxUserDataBytes: `${real}: the cloud's limit is not known here`,
      tagsOf: `${real}: only the provider itself could say what carries which tags`,
      vanish: `${real}: nothing deletes behind the provider's back`,
      capacity: `${real}: capacity cannot be taken away`,
      volumes: "no data volumes were given",
      imageFile: "no image file was given",
      badSpecs: `${real}: what does not exist in it is not known here`,
      badConnections: `${real}: wrong settings are not known here`,
      secrets: "the configuration holds no secret",
    },
    environment: { against: "the account that was configured", real: "all of it", stoodIn: "nothing" },
  };
  return { target, connect, clusterIds };
}

/** The provider itself, but remembers the cluster id of each creation. */
function noting(provider: Provider, clusterIds: Set<string>): Provider {
  const createInstance: Provider["createInstance"] = (request, call) => {
    const clusterId = request.tags[tagKeys.cluster];
    if (clusterId !== undefined) clusterIds.add(clusterId);
    return provider.createInstance(request, call);
  };
  return new Proxy(provider, {
    get(target, key) {
      if (key === "createInstance") return createInstance;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function secretValues({ options }: CloudProvider, config: OptionValues): readonly string[] {
  return options
    .filter((option) => option.secret === true)
    .map(({ flag }) => config[flag])
    .filter((value): value is string => typeof value === "string" && value !== "");
}

function collecting(lines: string[]): Logger {
  const log = (fields: object, message: string) =>
    void lines.push(`${message} ${inspect(fields, { depth: 8 })}`);
  return { debug: log, info: log, warn: log, error: log };
}
