import { instanceName, instanceTags } from "@peerpods/cloud-providers";
import type { InstanceOwner, InstanceSpec } from "@peerpods/cloud-providers";
import type { LifecycleContext } from "./context.ts";
import { SandboxError } from "./errors.ts";
import type { PodNetworkFacts, WaitOptions } from "./ports.ts";
import type { SandboxRecord } from "./record.ts";

/** A request for a sandbox, checked and in the lifecycle's own terms. */
export interface CreateRequest {
  /** Checked by `checkSandboxId`. */
  readonly sandboxId: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly netnsPath: string;
  readonly spec: InstanceSpec;
  /** TOML; absent means the daemon's default. */
  readonly initdata?: string;
}

/** Makes a sandbox that has an index, a journal entry and a directory, and no VM. Leaves nothing when it rejects. */
export async function createSandbox(
  request: CreateRequest,
  context: LifecycleContext,
  options: WaitOptions,
): Promise<SandboxRecord> {
  const record = await newRecord(request, context, options);
  try {
    await context.journal.write(record);
    await context.directories.create(record.sandboxId);
    return record;
  } catch (error) {
    await forget(record, context);
    throw error;
  }
}

async function newRecord(
  request: CreateRequest,
  context: LifecycleContext,
  options: WaitOptions,
): Promise<SandboxRecord> {
  const { indices, directories, clock, settings } = context;
  const owner = { ...request, clusterId: settings.clusterId(), nodeName: settings.nodeName };
  checkTags(owner);
  const facts = await inspect(request, context, options);
  const { index, vni } = await indices.allocate(options);
  return {
    ...owner,
    agentSocketPath: directories.agentSocketPath(request.sandboxId),
    instanceName: instanceName(request.podName, request.sandboxId),
    network: { ...facts, index, vxlanId: vni },
    phase: "created",
    lastAttempt: 0,
    attempts: [],
    times: { createdMs: clock.now() },
  };
}

async function inspect(
  { sandboxId, netnsPath }: CreateRequest,
  { network }: LifecycleContext,
  options: WaitOptions,
): Promise<PodNetworkFacts> {
  try {
    return await network.inspect(netnsPath, options);
  } catch (error) {
    options.signal.throwIfAborted();
    throw new SandboxError("network", `the network of sandbox ${sandboxId} cannot be used`, { cause: error });
  }
}

/** Nothing of a failed CreateVM may stay, in the journal neither. */
async function forget(
  record: SandboxRecord,
  { journal, directories, indices, logger }: LifecycleContext,
): Promise<void> {
  const { sandboxId } = record;
  try {
    await journal.remove(sandboxId);
    await directories.remove(sandboxId);
  } catch (error) {
    logger.warn({ sandboxId, err: error }, "what a failed CreateVM left cannot be removed");
  }
  indices.release(record.network.vxlanId);
}

/** What cannot be written on a cloud resource could not be found and deleted again, so it is refused before anything is made. */
function checkTags(owner: Omit<InstanceOwner, "attempt">): void {
  try {
    instanceTags({ ...owner, attempt: 1 });
  } catch (error) {
    throw new SandboxError("invalid_request", `sandbox ${owner.sandboxId} cannot be tagged`, {
      cause: error,
    });
  }
}
