import {
  placementsOf,
  ProviderError,
  selectInstanceTypes,
  type CallContext,
  type CreateInstanceRequest,
  type InstanceSpec,
  type Placement,
} from "@peerpods/cloud-providers";
import type { AwsConfig } from "./config.ts";
import type { Ec2InstanceType } from "./instance-types.ts";
import type { Parts } from "./parts.ts";

/**
 * Where a machine for this spec could be: types, then zones, without regard to what the cloud had lately.
 * @throws ProviderError `invalid_request` when no configured type fits.
 */
export async function candidates(
  parts: Parts,
  spec: InstanceSpec,
  call: CallContext,
): Promise<readonly Placement[]> {
  const { settings } = await parts.connect(call);
  const types = await fittingTypes(parts, spec, call);
  const zones = [...settings.subnets.keys()].filter((zone) => zone !== "");
  return placementsOf(types, zones);
}

/**
 * The placement of a request: the one it names, checked, else the first candidate. The same for the same request, whatever
 * happened meanwhile: EC2 refuses a token that comes with other parameters.
 * @throws ProviderError `invalid_request` for a type that is not configured.
 */
export async function placementOf(
  parts: Parts,
  { spec, placement = { instanceType: "", zone: "" } }: CreateInstanceRequest,
  call: CallContext,
): Promise<Placement> {
  const { instanceType, zone } = placement;
  if (instanceType !== "") await checkType(parts, instanceType, call);
  const [first] = instanceType !== "" && zone !== "" ? [placement] : await candidates(parts, spec, call);
  return { instanceType: instanceType || (first?.instanceType ?? ""), zone: zone || (first?.zone ?? "") };
}

async function checkType(parts: Parts, instanceType: string, call: CallContext): Promise<void> {
  const { config } = parts;
  const usable = [config.instanceType, ...config.instanceTypes];
  if (!usable.includes(instanceType))
    throw new ProviderError(
      "invalid_request",
      `instance type ${JSON.stringify(instanceType.slice(0, 80))} is not configured; there are ${usable.join(", ")}`,
    );
  if (mustBeConfidential(config)) checkConfidential([instanceType], await parts.instanceTypes(call));
}

async function fittingTypes(parts: Parts, spec: InstanceSpec, call: CallContext): Promise<readonly string[]> {
  const { config } = parts;
  const choice = { allowed: config.instanceTypes, defaultType: config.instanceType };
  // The template decides, so nothing needs to be known of the types.
  if (config.launchTemplate !== "" && !wishesSize(spec))
    return selectInstanceTypes(spec, { ...choice, catalog: [] });
  const described = await parts.instanceTypes(call);
  const catalog = mustBeConfidential(config) ? described.filter((type) => type.confidential) : described;
  const types = selectInstanceTypes(spec, { ...choice, catalog });
  if (mustBeConfidential(config)) checkConfidential(types, described);
  return types;
}

function wishesSize({ instanceType, vcpus, memoryMiB, gpus }: InstanceSpec): boolean {
  return instanceType === "" && (vcpus > 0 || memoryMiB > 0 || gpus > 0);
}

/** With a launch template it is the template's matter. */
function mustBeConfidential({ confidential, launchTemplate }: AwsConfig): boolean {
  return confidential && launchTemplate === "";
}

function checkConfidential(types: readonly string[], described: readonly Ec2InstanceType[]): void {
  const unfit = types.filter((name) => described.some((type) => type.name === name && !type.confidential));
  if (unfit.length === 0) return;
  throw new ProviderError(
    "invalid_request",
    `instance type ${unfit.join(", ")} cannot be a confidential VM (AMD SEV-SNP); choose another type, or set disable-cvm`,
  );
}
