import {
  ProviderError,
  createCallPolicy,
  createKeyedLock,
  isProviderError,
  systemClock,
  type AttachedVolume,
  type CallContext,
  type Clock,
  type Inventory,
  type InstanceReference,
  type Provider,
  type ProviderContext,
  type Volumes,
} from "@peerpods/cloud-providers";
import { parseLibvirtConfig } from "./config.ts";
import { createHost, type LibvirtHost } from "./host.ts";
import { idOfToken } from "./identity.ts";
import { createInstance } from "./instance/create.ts";
import { dataVolumesOf } from "./instance/data-volumes.ts";
import { deleteInstance, idsOf } from "./instance/delete.ts";
import { getInstance, listInstances } from "./instance/inventory.ts";
import { findDomain } from "./instance/look.ts";
import { MAX_DATA_VOLUMES, checkRequest } from "./instance/request.ts";
import { verifyConfig } from "./verify/verify-config.ts";
import { createConnection } from "./virsh/connection.ts";
import { runProgram, type Run } from "./virsh/run.ts";

/** What this provider needs of the machine; tests put something else in its place. */
export interface LibvirtEffects {
  /** Default: starts the program. */
  readonly run?: Run;
  /** Default: the machine's time. */
  readonly clock?: Clock;
}

/** Connects to a libvirt host; see `CloudProvider.newProvider`. Nothing is asked before the first call. */
export function newLibvirtProvider(
  context: ProviderContext,
  { run = runProgram, clock = systemClock }: LibvirtEffects = {},
): Provider & Inventory & Volumes {
  const config = parseLibvirtConfig(context.config);
  const policy = createCallPolicy({
    scope: `libvirt ${config.uri}`,
    clock,
    // Each call is a process, over SSH also a session: enough for a node's pods, not enough to drown the host.
    bucket: { capacity: 60, refillPerSecond: 30 },
    retry: { maxTries: 4, baseMs: 200, maxMs: 2_000 },
    breaker: { failures: 64, openMs: 10_000 },
  });
  const connection = createConnection({
    uri: config.uri,
    run,
    policy,
    clock,
    env: virshEnvironment(context.env),
    stateDir: context.stateDir,
  });
  const host = createHost({ config, connection, clock, stateDir: context.stateDir });
  const locks = createKeyedLock();
  const alone = async <T>(id: string, call: CallContext, act: () => Promise<T>): Promise<T> => {
    using _ = await locks.acquire(id, call.signal);
    return await act();
  };
  return {
    createInstance: (request, call) =>
      converted(call, async () => {
        checkRequest(request);
        const id = idOfToken(request.token);
        return await alone(id, call, () => createInstance(host, { request, id }, call));
      }),
    deleteInstance: (request, call) =>
      converted(call, async () => {
        for (const id of idsOf(request))
          await alone(id, call, () => deleteInstance(host, { id, tags: request.tags }, call));
      }),
    listInstances: (tags, call) => converted(call, () => listInstances(host, tags, call)),
    getInstance: (reference, call) => converted(call, () => getInstance(host, reference, call)),
    maxVolumes: MAX_DATA_VOLUMES,
    attachedVolumes: (reference, call) => converted(call, () => attachedVolumes(host, reference, call)),
    configVerifier: (call) => converted(call, () => verifyConfig(host, call)),
    // Nothing is held between calls; instances stay.
    teardown: () => Promise.resolve(),
  };
}

async function attachedVolumes(
  host: LibvirtHost,
  reference: InstanceReference,
  call: CallContext,
): Promise<readonly AttachedVolume[]> {
  for (const id of idsOf(reference)) {
    const domain = await findDomain(host, id, call);
    if (domain !== undefined) return dataVolumesOf(domain);
  }
  return [];
}

async function converted<T>(call: CallContext, act: () => Promise<T>): Promise<T> {
  call.signal.throwIfAborted();
  try {
    return await act();
  } catch (error) {
    // What could not be undone matters more than why it was to be undone.
    if (!isProviderError(error) || error.left.length === 0) call.signal.throwIfAborted();
    throw ProviderError.from(error, "provider libvirt");
  }
}

/** What virsh and the ssh that it starts need, and nothing else of the daemon's environment. */
function virshEnvironment(env: ProviderContext["env"]): Readonly<Record<string, string>> {
  const wanted = ["PATH", "HOME", "USER", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"];
  const given = wanted.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...Object.fromEntries(given),
    LC_ALL: "C",
  };
}
