import { ArmError } from "../arm-error.ts";
import { textAt, type Resource } from "../resource.ts";
import type { Request } from "./request.ts";

/** Letters, lengths and ends of names, by type. */
const names: Readonly<Record<string, RegExp>> = {
  "microsoft.compute/virtualmachines": /^[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9_])?$/i,
  "microsoft.compute/disks": /^[a-z0-9_][a-z0-9_.-]{0,79}$/i,
  "microsoft.network/networkinterfaces": /^[a-z0-9](?:[a-z0-9_.-]{0,78}[a-z0-9_])?$/i,
  "microsoft.network/publicipaddresses": /^[a-z0-9](?:[a-z0-9_.-]{0,78}[a-z0-9_])?$/i,
};

/** @throws ArmError for a name, a region or tags that ARM refuses whatever the resource is. */
export function checkCommon({ account, path, body }: Request): void {
  const name = path.names.at(-1) ?? "";
  if (!(names[path.type]?.test(name) ?? false))
    throw new ArmError(400, "InvalidResourceName", `Resource name ${name} is invalid.`);
  const location = textAt(body, "location");
  if (location === "") throw new ArmError(400, "LocationRequired", "The location property is required.");
  if (location !== account.location)
    throw new ArmError(
      400,
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${path.type}'.`,
    );
  checkTags((body["tags"] ?? {}) as Readonly<Record<string, string>>);
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > 50)
    throw new ArmError(400, "InvalidTagCount", `Too many tags: ${entries.length}; the maximum is 50.`);
  for (const [key, value] of entries)
    if (
      key === "" ||
      key.length > 512 ||
      value.length > 256 ||
      /[<>%&\\?/]/.test(key) ||
      /^(microsoft|azure|windows)/i.test(key)
    )
      throw new ArmError(400, "InvalidTagNameOrValue", `The tag '${key.slice(0, 40)}' is not valid.`);
  if (new Set(entries.map(([key]) => key.toLowerCase())).size < entries.length)
    throw new ArmError(400, "DuplicateTag", "Tag names differ only in case.");
}

/** A resource as it is answered. */
export function shown(resource: Resource): object {
  const { id, name, type, location, tags, zones, sku, properties } = resource;
  return {
    id,
    name,
    type,
    location,
    tags,
    ...(zones === undefined ? {} : { zones }),
    ...(sku === undefined ? {} : { sku }),
    properties,
  };
}
