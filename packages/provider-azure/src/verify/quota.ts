import { problem, warning, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Parts } from "../parts.ts";
import { pagesOf } from "../pages.ts";
import type { Size } from "../sizes.ts";

interface Usage {
  readonly currentValue?: number;
  readonly limit?: number;
  readonly name?: { readonly value?: string };
}

/** Whether the quota of vCPUs, of the region and of each size's family, has room for one more machine. */
export async function verifyQuota(
  parts: Parts,
  sizes: readonly Size[],
  call: CallContext,
): Promise<readonly Finding[]> {
  const { config } = parts;
  const arm = await parts.connect(call);
  const path = `/subscriptions/${config.subscription}/providers/Microsoft.Compute/locations/${config.region}/usages`;
  const left = new Map<string, number>();
  for await (const { name, limit = 0, currentValue = 0 } of pagesOf<Usage>(
    arm,
    { name: "ListUsages", path },
    call,
  ))
    left.set((name?.value ?? "").toLowerCase(), limit - currentValue);
  return sizes.flatMap((size) => {
    const short = ["cores", size.family].flatMap((quota) => {
      const free = left.get(quota.toLowerCase());
      return free !== undefined && free < size.vcpus
        ? [`${quota === "cores" ? "vCPUs of the region" : quota}: ${free} left`]
        : [];
    });
    if (short.length === 0) return [];
    const say = size.name === config.size ? problem : warning;
    return [
      say(
        "quota",
        `no room for one ${size.name} with ${size.vcpus} vCPUs (${short.join("; ")})`,
        "ask Azure for a higher quota, or name a size of a family that has some left",
      ),
    ];
  });
}
