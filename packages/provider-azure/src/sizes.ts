import { ProviderError, type CallContext, type InstanceType } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import { pagesOf } from "./pages.ts";

/** A size with what is judged before a machine of it is asked for. */
export interface Size extends InstanceType {
  /** Family, by which Azure counts quota. */
  readonly family: string;
  /** How it can be a confidential VM; empty: it cannot. */
  readonly confidential: "" | "SNP" | "TDX";
  readonly maxDisks: number;
  readonly maxInterfaces: number;
  /** Zones of the region that offer it to this subscription. */
  readonly zones: readonly string[];
  /** Why this subscription cannot use it here; empty: it can. */
  readonly restriction: string;
}

interface Sku {
  readonly resourceType?: string;
  readonly name?: string;
  readonly family?: string;
  readonly capabilities?: readonly { readonly name?: string; readonly value?: string }[];
  readonly locationInfo?: readonly { readonly zones?: readonly string[] }[];
  readonly restrictions?: readonly {
    readonly type?: string;
    readonly reasonCode?: string;
    readonly restrictionInfo?: { readonly zones?: readonly string[] };
  }[];
}

/** Azure's words for architectures, in ours. */
const architectures: Readonly<Record<string, string>> = { x64: "amd64", Arm64: "arm64" };

/**
 * The default size and all allowed ones, as the region offers them.
 * @throws ProviderError `invalid_config` when the region does not have one of them.
 */
export async function describeSizes(
  arm: Arm,
  config: Pick<AzureConfig, "subscription" | "region" | "size" | "sizes">,
  call: CallContext,
): Promise<readonly Size[]> {
  const wanted = new Map([config.size, ...config.sizes].map((name) => [name.toLowerCase(), name]));
  const request = {
    name: "ListSizes",
    path: `/subscriptions/${config.subscription}/providers/Microsoft.Compute/skus`,
    query: { $filter: `location eq '${config.region}'` },
  } as const;
  const found: Size[] = [];
  for await (const sku of pagesOf<Sku>(arm, request, call)) {
    const name = wanted.get((sku.name ?? "").toLowerCase());
    if (sku.resourceType === "virtualMachines" && name !== undefined) found.push(sizeOf(sku, name));
  }
  const missing = [...wanted.values()].filter((name) => !found.some((size) => size.name === name));
  if (missing.length === 0) return found;
  throw new ProviderError(
    "invalid_config",
    `instance-size or instance-sizes (AZURE_INSTANCE_SIZE, AZURE_INSTANCE_SIZES): region ${config.region} has no ${missing.join(", ")}`,
  );
}

function sizeOf(sku: Sku, name: string): Size {
  const capability = (key: string) => sku.capabilities?.find((one) => one.name === key)?.value ?? "";
  const count = (key: string, missing: number) => {
    const value = Number(capability(key) || missing);
    return Number.isFinite(value) ? value : missing;
  };
  const arch = architectures[capability("CpuArchitectureType")];
  const kind = capability("ConfidentialComputingType");
  const restrictions = sku.restrictions ?? [];
  const closed = restrictions.flatMap(({ restrictionInfo }) => restrictionInfo?.zones ?? []);
  const zones = (sku.locationInfo ?? []).flatMap((info) => info.zones ?? []);
  return {
    name,
    family: sku.family ?? "",
    vcpus: count("vCPUs", 0),
    memoryMiB: Math.round(count("MemoryGB", 0) * 1_024),
    gpus: count("GPUs", 0),
    confidential: kind === "SNP" || kind === "TDX" ? kind : "",
    maxDisks: count("MaxDataDiskCount", 0),
    maxInterfaces: count("MaxNetworkInterfaces", 1),
    zones: zones.filter((zone) => !closed.includes(zone)),
    restriction: restrictions.find(({ type }) => type === "Location")?.reasonCode ?? "",
    ...(arch === undefined ? {} : { arch }),
  };
}
