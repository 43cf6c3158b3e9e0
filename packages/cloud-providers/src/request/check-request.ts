import type { AbilityName, InstanceReference } from "../abilities.ts";
import type { CreateInstanceRequest } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import { checkToken } from "../identity/instance-token.ts";

/** What a provider can do with a request, as far as that is known without its cloud. */
export interface RequestLimits {
  /** Abilities that a spec may ask for. */
  readonly abilities: readonly AbilityName[];
  /** Default 63. */
  readonly maxNameLength?: number;
}

/**
 * Checks the parts of a creation request that are alike for every cloud.
 * @throws ProviderError `invalid_request` with one line for each thing that is wrong.
 */
export function checkCreateRequest(request: CreateInstanceRequest, limits: RequestLimits): void {
  checkToken(request.token);
  const { spec, name } = request;
  const { abilities, maxNameLength = 63 } = limits;
  const problems: string[] = [];
  if (!/^[a-z0-9-]+$/.test(name) || name.length > maxNameLength)
    problems.push(
      `name ${JSON.stringify(name.slice(0, 80))} is not 1 to ${maxNameLength} characters of a-z, 0-9 and -`,
    );
  for (const [what, number] of [
    ["vcpus", spec.vcpus],
    ["memoryMiB", spec.memoryMiB],
    ["gpus", spec.gpus],
  ] as const)
    if (!Number.isSafeInteger(number) || number < 0)
      problems.push(`${what} ${number} is not a whole number from 0 on`);
  if (spec.volumes.length > 0 && !abilities.includes("volumes"))
    problems.push("this provider cannot attach volumes");
  if (spec.multiNic && !abilities.includes("multiNic"))
    problems.push("this provider cannot give a second network interface");
  if (spec.spot === true && !abilities.includes("spot")) problems.push("this provider has no spot machines");
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
}

/**
 * Checks which instance is meant.
 * @param idForm what this provider's ids look like. Ids become parts of paths, URLs and arguments, so this must be strict.
 * @throws ProviderError `invalid_request` unless at least one of id and token is given, and each is well formed.
 */
export function checkInstanceReference({ instanceId, token }: InstanceReference, idForm: RegExp): void {
  if ((instanceId ?? "") === "" && (token ?? "") === "")
    throw new ProviderError("invalid_request", "neither instance id nor token is given");
  if (token !== undefined && token !== "") checkToken(token);
  if (instanceId === undefined || instanceId === "" || idForm.test(instanceId)) return;
  throw new ProviderError(
    "invalid_request",
    `${JSON.stringify(instanceId.slice(0, 80))} is not an instance id of this provider`,
  );
}
