import {
  ProviderError,
  limitedCall,
  problem,
  warning,
  type CallContext,
  type Finding,
} from "@peerpods/cloud-providers";
import type { Instance } from "@aws-sdk/client-ec2";
import type { Ec2InstanceType } from "../instance-types.ts";
import { describeInstances } from "../instances.ts";
import type { Connected, Parts } from "../parts.ts";
import { quotaOf, vcpuQuota, type VcpuQuota } from "../quotas.ts";

/** What one pod VM of the default type takes of which quota. */
interface Demand {
  readonly type: Ec2InstanceType;
  readonly market: "on-demand" | "spot";
  readonly quota: VcpuQuota;
}

/** A network from which EC2 can be reached and nothing else must not take the verifier's whole time. */
const QUOTA_TIMEOUT_MS = 10_000;

/**
 * Whether the account's vCPU quota has room for a pod VM of the default type. Not asked where the EC2 endpoint is moved and that of
 * the quotas is not: an emulator, or a network from which only EC2 can be reached.
 */
export async function verifyQuota(
  { config, clock }: Pick<Parts, "config" | "clock">,
  { connected, types }: { readonly connected: Connected; readonly types: readonly Ec2InstanceType[] },
  call: CallContext,
): Promise<readonly Finding[]> {
  const { endpoint, quotasEndpoint } = config.connection;
  if (config.launchTemplate !== "" || (endpoint !== "" && quotasEndpoint === "")) return [];
  const market = config.spot.always ? "spot" : "on-demand";
  const type = types.find(({ name }) => name === config.instanceType);
  const quota = quotaOf(config.instanceType, market);
  if (type === undefined || quota === undefined) return [];
  try {
    using own = limitedCall(clock, { timeoutMs: QUOTA_TIMEOUT_MS, logger: call.logger });
    const limit = await vcpuQuota(
      connected.access,
      { endpoint: quotasEndpoint, code: quota.code },
      { ...own, signal: AbortSignal.any([call.signal, own.signal]) },
    );
    if (limit === undefined) return [];
    return await judge({ type, market, quota }, { limit, connected, types }, call);
  } catch (thrown) {
    call.signal.throwIfAborted();
    const error = ProviderError.from(thrown, "GetServiceQuota");
    // Whoever may make instances need not be allowed to read quotas.
    if (!["unauthorized", "not_found", "unavailable", "timeout"].includes(error.code)) throw error;
    return [
      {
        severity: "info",
        subject: "quota",
        message: `the vCPU quota could not be looked at: ${error.message}`,
        remedy: "allow servicequotas:GetServiceQuota, or look at the quota yourself",
      },
    ];
  }
}

async function judge(
  { type, market, quota }: Demand,
  {
    limit,
    connected,
    types,
  }: {
    readonly limit: number;
    readonly connected: Connected;
    readonly types: readonly Ec2InstanceType[];
  },
  call: CallContext,
): Promise<readonly Finding[]> {
  const families = quota.families.join(", ").toUpperCase();
  const what = `the account's quota for ${market} instances of ${families} (${quota.code}) is ${limit} vCPUs`;
  const remedy = `ask AWS Service Quotas for more of ${quota.code}, or choose a smaller instance-type`;
  if (limit < type.vcpus)
    return [problem("quota", `${what}, but one ${type.name} takes ${type.vcpus}`, remedy)];
  const alive = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
  const instances = await describeInstances(connected.ec2, alive, call);
  const used = instances
    .filter((one) => (one.InstanceLifecycle === "spot" ? "spot" : "on-demand") === market)
    .filter(({ InstanceType = "" }) => quotaOf(InstanceType, market)?.code === quota.code)
    .reduce((sum, instance) => sum + vcpusOf(instance, types), 0);
  // Pods that run already may be what fills it, so it is no reason not to start.
  if (used + type.vcpus > limit)
    return [warning("quota", `${what}, of which ${used} are used: no ${type.name} fits beside them`, remedy)];
  return [];
}

function vcpusOf({ CpuOptions, InstanceType }: Instance, types: readonly Ec2InstanceType[]): number {
  const { CoreCount = 0, ThreadsPerCore = 1 } = CpuOptions ?? {};
  return CoreCount > 0
    ? CoreCount * ThreadsPerCore
    : (types.find(({ name }) => name === InstanceType)?.vcpus ?? 0);
}
