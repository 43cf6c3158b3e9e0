import { writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  ProviderError,
  UNDO_TIMEOUT_MS,
  type CallContext,
  type CreateInstanceRequest,
  type Instance,
} from "@peerpods/cloud-providers";
import { launchVm, type StartedVm } from "../boot/launch.ts";
import type { VmPlan } from "../boot/vm-plan.ts";
import { holdingLimits, withoutControllersText } from "../cgroup/delegated.ts";
import { createVmCgroup, entryFiles, moveToLeaf } from "../cgroup/vm-cgroup.ts";
import { isAlive } from "../host/process-identity.ts";
import { instancePaths, type InstancePaths, type LocalHost, type PodVmImage } from "../local-host.ts";
import { connectPort } from "../network/bridge.ts";
import { acquireLease } from "../network/leases.ts";
import { applyNat } from "../network/nat.ts";
import { gatewayOf } from "../network/subnet.ts";
import { namesOfToken, type InstanceNames } from "./identity.ts";
import { lockInstance, lockNetwork } from "./locks.ts";
import { readRecord, writeRecord, type InstanceRecord } from "./record.ts";
import { removeTraces } from "./remove.ts";
import { checkRequest, fingerprintOf, limitsOf } from "./request.ts";

/** See `Provider.createInstance`. */
export async function createInstance(
  local: LocalHost,
  request: CreateInstanceRequest,
  call: CallContext,
): Promise<Instance> {
  checkRequest(request);
  const names = namesOfToken(local.key, request.token);
  await using _ = await lockInstance(local, names.id, call.signal);
  const earlier = await readRecord(instancePaths(local.paths, names.id).directory);
  if (earlier !== undefined) {
    const instance = await sameInstance(earlier, request);
    if (instance !== undefined) return instance;
    call.logger.info({ instanceId: names.id }, "undoing an interrupted creation");
    await removeTraces(local, names, call.signal);
  }
  try {
    return await build(local, { request, names }, call);
  } catch (error) {
    await undo(local, names, error);
    throw error;
  }
}

/** The instance that an earlier call with the same token made, or `undefined` if that call was interrupted. */
async function sameInstance(
  earlier: InstanceRecord,
  request: CreateInstanceRequest,
): Promise<Instance | undefined> {
  if (earlier.fingerprint !== fingerprintOf(request))
    throw new ProviderError("conflict", `token ${request.token} was used for another request`);
  if (earlier.phase !== "running" || earlier.vm === undefined) return undefined;
  if (await isAlive(earlier.vm.init))
    return { id: earlier.id, name: earlier.name, addresses: [earlier.vm.address] };
  throw new ProviderError(
    "conflict",
    `instance ${earlier.id} of token ${request.token} has ended; delete it and use another attempt's token`,
  );
}

interface Job {
  readonly request: CreateInstanceRequest;
  readonly names: InstanceNames;
}

async function build(local: LocalHost, job: Job, call: CallContext): Promise<Instance> {
  const { request, names } = job;
  const paths = instancePaths(local.paths, names.id);
  const step = (name: string) => {
    call.logger.debug({ instanceId: names.id, step: name }, "creating instance");
    call.signal.throwIfAborted();
  };
  const record: InstanceRecord = {
    version: 1,
    id: names.id,
    token: request.token,
    fingerprint: fingerprintOf(request),
    phase: "creating",
    name: request.name,
    tags: request.tags,
    createdAt: Date.now(),
  };
  step("record");
  await writeRecord(paths.directory, record);
  step("files");
  await writeFiles(paths, request.userData);
  step("image");
  const image = await local.image(call.signal);
  step("cgroup");
  const wanted = limitsOf(request.spec, local.config);
  const { limits, without } = await holdingLimits(local.cgroups, wanted, local.isRootless);
  if (without.length > 0)
    call.logger.warn({ instanceId: names.id, without }, withoutControllersText(without));
  await createVmCgroup(local.cgroups, names.cgroup, limits);
  step("address");
  const address = await acquireLease(local.paths.leases, local.config.subnet, names.id);
  step("launch");
  const plan = planVm(local, { ...job, address, image });
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(local.config.bootTimeoutMs)]);
  const init = await launchVm(plan, {
    signal,
    place: async ({ supervisor, init }) => {
      if (local.cgroups.mode === "v2") await moveToLeaf(local.cgroups, names.cgroup, [supervisor, init]);
    },
    connect: async (vm) => {
      step("connect");
      await connect(local, { names, address, vm }, signal);
      step("connected");
    },
  });
  step("running");
  await writeRecord(paths.directory, { ...record, phase: "running", vm: { address, init } });
  step("done");
  return { id: names.id, name: request.name, addresses: [address] };
}

async function writeFiles(paths: InstancePaths, userData: string): Promise<void> {
  const { cidata, logs, root, upper, work } = paths;
  for (const directory of [cidata, logs, root, upper, work])
    await mkdir(directory, { recursive: true, mode: 0o755 });
  await writeFile(join(cidata, "user-data"), userData, { mode: 0o600 });
}

async function connect(
  local: LocalHost,
  port: { names: InstanceNames; address: string; vm: StartedVm },
  signal: AbortSignal,
): Promise<void> {
  await using lock = await lockNetwork(local, signal);
  const call = { run: local.run, signal, inheritFd: lock.fd };
  const { names, address, vm } = port;
  await connectPort(local.bridge, { name: names.port, address, pid: vm.init }, call);
  if (local.bridge.nat) await applyNat(local.bridge, call);
}

function planVm(local: LocalHost, job: Job & { address: string; image: PodVmImage }): VmPlan {
  const { config } = local;
  const { consoleFile, root, upper, work, cidata, logs } = instancePaths(local.paths, job.names.id);
  return {
    ...job.image,
    hostName: job.request.name,
    consoleFile,
    directories: {
      root,
      work,
      cidata,
      logs,
      ...(config.rootStorage === "disk" ? { upper } : {}),
      ...(config.imageDirectory === "" ? {} : { images: config.imageDirectory }),
    },
    cgroups: local.cgroups,
    cgroupEntries: entryFiles(local.cgroups, job.names.cgroup),
    address: `${job.address}/${config.subnet.prefixLength}`,
    gateway: gatewayOf(config.subnet),
    agent: config.kataAgent === "" ? "dev-agent" : "kata-agent",
  };
}

/** In its own time, since the caller's is often over. Leaves nothing behind, or throws an error that says what it had to leave. */
async function undo(local: LocalHost, names: InstanceNames, reason: unknown): Promise<void> {
  try {
    await removeTraces(local, names, AbortSignal.timeout(UNDO_TIMEOUT_MS));
  } catch (error) {
    throw new ProviderError("internal", `instance ${names.id} could neither be made nor undone`, {
      cause: new AggregateError([reason, error], "making failed, then undoing"),
      left: [names.id],
    });
  }
}
