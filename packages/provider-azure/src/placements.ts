import {
  placementsOf,
  ProviderError,
  selectInstanceTypes,
  type CallContext,
  type CreateInstanceRequest,
  type InstanceSpec,
  type Placement,
} from "@peerpods/cloud-providers";
import type { AzureConfig } from "./config.ts";
import type { Parts } from "./parts.ts";
import type { Size } from "./sizes.ts";

/**
 * Where a machine for this spec could be: sizes, then zones, without regard to what the cloud had lately. Zones that do not
 * offer a size are left out.
 * @throws ProviderError `invalid_request` when no configured size fits.
 */
export async function candidates(
  parts: Parts,
  spec: InstanceSpec,
  call: CallContext,
): Promise<readonly Placement[]> {
  const { config } = parts;
  const described = await parts.sizes(call);
  const catalog = config.confidential ? described.filter((size) => size.confidential !== "") : described;
  const names = selectInstanceTypes(spec, { allowed: config.sizes, defaultType: config.size, catalog });
  for (const name of names) checkKind(config, sizeNamed(described, name));
  const offered = placementsOf(names, config.zones).filter(
    ({ instanceType, zone }) => zone === "" || sizeNamed(described, instanceType).zones.includes(zone),
  );
  if (offered.length > 0) return offered;
  throw new ProviderError(
    "invalid_request",
    `none of ${names.join(", ")} is offered in zone ${config.zones.join(" or ")} of ${config.region}`,
  );
}

/** The size and zone of a request: the placement it names, checked, else the first candidate. */
export async function placementOf(
  parts: Parts,
  { spec, placement = { instanceType: "", zone: "" } }: CreateInstanceRequest,
  call: CallContext,
): Promise<{ readonly size: Size; readonly placement: Placement }> {
  const { config } = parts;
  const { instanceType, zone } = placement;
  const usable = [config.size, ...config.sizes];
  if (instanceType !== "" && !usable.includes(instanceType))
    throw invalid(`size ${shown(instanceType)} is not configured; there are ${usable.join(", ")}`);
  if (zone !== "" && !config.zones.includes(zone))
    throw invalid(
      `zone ${shown(zone)} is not configured; ${config.zones.length === 0 ? "there are none" : `there are ${config.zones.join(", ")}`}`,
    );
  const [first] =
    instanceType !== "" && (zone !== "" || config.zones.length === 0)
      ? [placement]
      : await candidates(parts, spec, call);
  const chosen = {
    instanceType: instanceType || (first?.instanceType ?? ""),
    zone: zone || (first?.zone ?? ""),
  };
  const size = sizeNamed(await parts.sizes(call), chosen.instanceType);
  checkKind(config, size);
  return { size, placement: chosen };
}

function sizeNamed(sizes: readonly Size[], name: string): Size {
  const size = sizes.find((one) => one.name === name);
  if (size === undefined) throw invalid(`size ${shown(name)} is not configured`);
  return size;
}

function checkKind({ confidential }: AzureConfig, { name, confidential: kind }: Size): void {
  if (confidential && kind === "")
    throw invalid(
      `size ${name} cannot be a confidential VM (AMD SEV-SNP, Intel TDX); choose another size, or set disable-cvm`,
    );
}

function invalid(message: string): ProviderError {
  return new ProviderError("invalid_request", message);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
