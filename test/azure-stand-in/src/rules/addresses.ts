import { ArmError } from "../arm-error.ts";
import { at, type Json, type Resource } from "../resource.ts";
import { checkCommon, shown } from "./common.ts";
import { accepted, type Answer, type Request } from "./request.ts";

/** PUT of a public address. The number itself comes a little later (inferred), so callers have to ask again. */
export function putAddress(request: Request): Answer {
  const { account, id, body, path } = request;
  checkCommon(request);
  const existing = account.get(id);
  if (existing !== undefined) return { status: 200, body: shown(existing) };
  if (at<string>(body, "sku", "name") !== "Standard")
    throw new ArmError(
      400,
      "IPv4BasicSkuPublicIpCountLimitReached",
      "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
    );
  if (at<string>(body, "properties", "publicIPAllocationMethod") !== "Static")
    throw new ArmError(
      400,
      "PublicIPWithStandardSkuMustHaveStaticAllocation",
      `Standard sku publicIp ${id} must have AllocationMethod set to Static.`,
    );
  const resource: Resource = {
    id,
    name: path.names[0] ?? "",
    type: "Microsoft.Network/publicIPAddresses",
    location: account.location,
    tags: (body["tags"] ?? {}) as Resource["tags"],
    sku: body["sku"] as Json,
    properties: { ...(body["properties"] as Json), provisioningState: "Updating" },
  };
  account.put(resource);
  const operation = account.operations.begin(account.delays.address, () => {
    Object.assign(resource.properties, {
      ipAddress: account.address("203.0"),
      provisioningState: "Succeeded",
    });
    return undefined;
  });
  return accepted(request, { status: 201, body: structuredClone(shown(resource)), operation, retryAfter: 1 });
}

export function deleteAddress(request: Request): Answer {
  const { account, id } = request;
  const existing = account.get(id);
  if (existing === undefined) return { status: 204 };
  const holder = at<string>(existing.properties, "ipConfiguration", "id");
  if (holder !== undefined)
    throw new ArmError(
      400,
      "PublicIPAddressCannotBeDeleted",
      `Public IP address ${id} can not be deleted since it is still allocated to resource ${holder}.`,
    );
  const operation = account.operations.begin(account.delays.deleteAddress, () => {
    if (account.get(id) === existing) account.remove(id);
    return undefined;
  });
  return accepted(request, { status: 202, operation });
}
