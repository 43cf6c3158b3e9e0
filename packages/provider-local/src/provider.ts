import { mkdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import {
  ProviderError,
  isProviderError,
  type CallContext,
  type ConsoleLogs,
  type Inventory,
  type Provider,
  type ProviderContext,
} from "@peerpods/cloud-providers";
import { isUserNamespace } from "./cgroup/delegated.ts";
import { parseCgroupLayout } from "./cgroup/layout.ts";
import { runCommand, type Run } from "./host/run.ts";
import { podVmImage } from "./image/pod-vm-image.ts";
import { createInstance } from "./instance/create.ts";
import { deleteInstance } from "./instance/delete.ts";
import { stateKey } from "./instance/identity.ts";
import { getInstance, listInstances } from "./instance/inventory.ts";
import { consoleLogs } from "./instance/logs.ts";
import { statePaths, type LocalHost } from "./local-host.ts";
import { ALIAS_PREFIX } from "./network/bridge-type.ts";
import { parseLocalConfig, pathProblems } from "./options.ts";
import { verifyHost } from "./verify/verify-host.ts";

/** What this provider needs of the machine; tests put something else in its place. */
export interface HostEffects {
  readonly run: Run;
  /** Text in the form of `/proc/self/mountinfo`, from which the cgroup layout is read. */
  readonly mountInfo: () => Promise<string>;
}

const realEffects: HostEffects = {
  run: runCommand,
  mountInfo: () => readFile("/proc/self/mountinfo", "utf8"),
};

/** Connects to this machine; see `CloudProvider.newProvider`. */
export async function newLocalProvider(
  context: ProviderContext,
  effects: HostEffects = realEffects,
): Promise<Provider & Inventory & ConsoleLogs> {
  const local = await openHost(context, effects);
  const converted = async <T>(call: CallContext, act: () => Promise<T>): Promise<T> => {
    call.signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      // What could not be undone matters more than why it was to be undone.
      if (!isProviderError(error) || error.left.length === 0) call.signal.throwIfAborted();
      throw ProviderError.from(error, "provider local");
    }
  };
  return {
    createInstance: (request, call) => converted(call, () => createInstance(local, request, call)),
    deleteInstance: (request, call) => converted(call, () => deleteInstance(local, request, call)),
    listInstances: (tags, call) => converted(call, () => listInstances(local, tags, call)),
    getInstance: (request, call) => converted(call, () => getInstance(local, request)),
    consoleLogs: (request, call) => converted(call, () => consoleLogs(local, request, call)),
    configVerifier: (call) => converted(call, () => verifyHost(local, call)),
    // Nothing is held between calls; instances stay.
    teardown: () => Promise.resolve(),
  };
}

async function openHost(context: ProviderContext, { run, mountInfo }: HostEffects): Promise<LocalHost> {
  const config = parseLocalConfig(context.config);
  const stateDirectory = await realpath(context.stateDir);
  const problems = pathProblems("state directory", stateDirectory);
  if (problems.length > 0) throw new ProviderError("invalid_config", problems.join("\n"));
  const key = stateKey(stateDirectory);
  const paths = statePaths(stateDirectory);
  for (const directory of Object.values(paths)) await mkdir(directory, { recursive: true, mode: 0o700 });
  return {
    config,
    run,
    key,
    paths,
    cgroups: parseCgroupLayout(await mountInfo()),
    isRootless: isUserNamespace(await readFile("/proc/self/uid_map", "utf8")),
    bridge: {
      name: config.bridge,
      subnet: config.subnet,
      mtu: config.mtu,
      nat: config.nat,
      alias: `${ALIAS_PREFIX}${key}`,
    },
    image: podVmImage({ ...config, cacheDirectory: join(config.cacheDirectory, "layers") }, run),
  };
}
