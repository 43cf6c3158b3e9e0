import {
  placementsOf,
  ProviderError,
  selectInstanceTypes,
  type CallContext,
  type CreateInstanceRequest,
  type InstanceSpec,
  type Placement,
} from "@peerpods/cloud-providers";
import type { Parts } from "./parts.ts";
import type { Profile } from "./profiles.ts";

/** A placement, with what is known of its profile. */
export interface KnownPlacement extends Placement {
  readonly profile: Profile;
}

/**
 * Where a machine for this spec could be: profiles in the one zone, without regard to what the cloud had lately.
 * @throws ProviderError `invalid_request` when no configured profile fits.
 */
export async function candidates(
  parts: Parts,
  spec: InstanceSpec,
  call: CallContext,
): Promise<readonly Placement[]> {
  const { config } = parts;
  const { zone } = await parts.settings(call);
  const described = await parts.profiles(call);
  const catalog = config.confidential ? described.filter((profile) => profile.confidential) : described;
  const names = selectInstanceTypes(spec, {
    catalog,
    allowed: config.profiles,
    defaultType: defaultFor(spec, described, config.profile),
  });
  for (const name of names) checkConfidential(config.confidential, profileNamed(described, name));
  return placementsOf(names, [zone]);
}

/**
 * The placement of a request: the one it names, checked, else the first candidate.
 * @throws ProviderError `invalid_request` for a profile or zone that is not configured.
 */
export async function placementOf(
  parts: Parts,
  { spec, placement = { instanceType: "", zone: "" } }: CreateInstanceRequest,
  call: CallContext,
): Promise<KnownPlacement> {
  const { zone } = await parts.settings(call);
  if (placement.zone !== "" && placement.zone !== zone)
    throw new ProviderError(
      "invalid_request",
      `zone ${JSON.stringify(placement.zone.slice(0, 80))} is not the configured one, ${zone}`,
    );
  const name = placement.instanceType || ((await candidates(parts, spec, call))[0]?.instanceType ?? "");
  const profile = profileNamed(await parts.profiles(call), name);
  checkConfidential(parts.config.confidential, profile);
  return { instanceType: name, zone, profile };
}

/** A pod that wishes an architecture and nothing else gets the first profile of it. */
function defaultFor({ arch }: InstanceSpec, profiles: readonly Profile[], defaultProfile: string): string {
  const fits = ({ arch: own }: Profile) => arch === "" || own === "" || own === arch;
  const preferred = profiles.toSorted(
    (a, b) => Number(b.name === defaultProfile) - Number(a.name === defaultProfile),
  );
  return preferred.find(fits)?.name ?? defaultProfile;
}

function profileNamed(profiles: readonly Profile[], name: string): Profile {
  const profile = profiles.find((one) => one.name === name);
  if (profile !== undefined) return profile;
  throw new ProviderError(
    "invalid_request",
    `instance profile ${JSON.stringify(name.slice(0, 80))} is not configured; there are ${profiles.map((one) => one.name).join(", ")}`,
  );
}

function checkConfidential(wanted: boolean, { name, confidential }: Profile): void {
  if (!wanted || confidential) return;
  throw new ProviderError(
    "invalid_request",
    `instance profile ${name} cannot be a confidential VM; choose another profile, or set disable-cvm`,
  );
}
