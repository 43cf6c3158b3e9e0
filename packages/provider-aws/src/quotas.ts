import { clientOptions, type Access } from "./access.ts";
import { callAws, type AwsCall } from "./aws-call.ts";

/** A quota of the account, counted in vCPUs. */
export interface VcpuQuota {
  /** Code of AWS Service Quotas. */
  readonly code: string;
  /** Families of instance types that share it, e.g. `m` of `m6a.large`. */
  readonly families: readonly string[];
}

const standard = ["a", "c", "d", "h", "i", "m", "r", "t", "z"];

/** Codes from the console of AWS Service Quotas, service `ec2`, "Running On-Demand ... instances". */
const onDemand: readonly VcpuQuota[] = [
  { code: "L-1216C47A", families: standard },
  { code: "L-74FC7D96", families: ["f"] },
  { code: "L-DB2E81BA", families: ["g", "vt"] },
  { code: "L-417A185B", families: ["p"] },
  { code: "L-1945791B", families: ["inf"] },
  { code: "L-7295265B", families: ["x"] },
  { code: "L-2C3B7624", families: ["trn"] },
];

/** "All ... Spot Instance Requests". */
const spot: readonly VcpuQuota[] = [
  { code: "L-34B43A08", families: standard },
  { code: "L-88CF9481", families: ["f"] },
  { code: "L-3819A6DF", families: ["g", "vt"] },
  { code: "L-7212CCBC", families: ["p"] },
  { code: "L-B5D1601B", families: ["inf"] },
  { code: "L-E3A00192", families: ["x"] },
  { code: "L-6B0D517C", families: ["trn"] },
];

/** The quota that an instance type counts against, or `undefined` when we know of none. */
export function quotaOf(instanceType: string, market: "on-demand" | "spot"): VcpuQuota | undefined {
  const family = familyOf(instanceType);
  return (market === "spot" ? spot : onDemand).find(({ families }) => families.includes(family));
}

/** Letters before the generation: `m` of `m6a.large`, `inf` of `inf2.xlarge`. */
function familyOf(instanceType: string): string {
  return /^[a-z]+/.exec(instanceType)?.[0] ?? "";
}

/**
 * Asks AWS Service Quotas for the account's own value. The client is loaded for this and let go again.
 * @returns vCPUs, or `undefined` when AWS tells no value.
 * @throws ProviderError `unauthorized`, `not_found` where AWS has no such quota, `unavailable` and so on.
 */
export async function vcpuQuota(
  access: Access,
  { endpoint, code }: { readonly endpoint: string; readonly code: string },
  call: AwsCall,
): Promise<number | undefined> {
  const { GetServiceQuotaCommand, ServiceQuotasClient } = await import("@aws-sdk/client-service-quotas");
  const client = new ServiceQuotasClient(clientOptions(access, endpoint));
  // The connections belong to the shared handler and stay, so the client itself has nothing to be closed.
  const { Quota } = await callAws(
    access,
    {
      operation: { name: "GetServiceQuota", repeat: "repeatable" },
      send: (abortSignal) =>
        client.send(new GetServiceQuotaCommand({ ServiceCode: "ec2", QuotaCode: code }), { abortSignal }),
    },
    call,
  );
  return Quota?.Value;
}
