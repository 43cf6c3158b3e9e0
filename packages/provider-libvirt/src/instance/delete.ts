import {
  checkInstanceReference,
  type CallContext,
  type DeleteInstanceRequest,
} from "@peerpods/cloud-providers";
import type { LibvirtHost } from "../host.ts";
import { idOfToken, instanceIdForm } from "../identity.ts";
import { checkOwner, findDomain } from "./look.ts";
import { removeInstance } from "./remove.ts";

/** Ids that a reference means: usually one, since the id follows from the token. */
export function idsOf(reference: Pick<DeleteInstanceRequest, "instanceId" | "token">): readonly string[] {
  checkInstanceReference(reference, instanceIdForm);
  const { instanceId = "", token = "" } = reference;
  const ids = [instanceId, token === "" ? "" : idOfToken(token)];
  return [...new Set(ids.filter((id) => id !== ""))];
}

/** See `Provider.deleteInstance`. The caller holds the lock of the id. */
export async function deleteInstance(
  host: LibvirtHost,
  { id, tags }: { readonly id: string } & Pick<DeleteInstanceRequest, "tags">,
  call: CallContext,
): Promise<void> {
  const domain = await findDomain(host, id, call);
  if (domain !== undefined) checkOwner(domain, tags);
  await removeInstance(host, { id, domainExists: domain !== undefined }, call);
}
