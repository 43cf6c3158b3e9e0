import type { Account } from "../account.ts";
import { ArmError } from "../arm-error.ts";
import { textAt, type Resource } from "../resource.ts";
import { accepted, type Answer, type Request } from "./request.ts";

export function diskId(account: Account, name: string): string {
  return `/subscriptions/${account.subscription}/resourceGroups/${account.group}/providers/Microsoft.Compute/disks/${name}`;
}

/** A disk that nobody has made by a request: a data disk of the account, or a machine's root. */
export function newDisk(
  account: Account,
  {
    name,
    tags = {},
    zones,
    managedBy,
  }: Pick<Partial<Resource>, "tags" | "zones"> & { readonly name: string; readonly managedBy?: string },
): Resource {
  const disk: Resource = {
    id: diskId(account, name),
    name,
    type: "Microsoft.Compute/disks",
    location: account.location,
    tags,
    ...(zones === undefined ? {} : { zones }),
    properties: { diskState: managedBy === undefined ? "Unattached" : "Attached", diskSizeGB: 32 },
  };
  account.put(disk);
  attach(disk, managedBy);
  return disk;
}

/** @param machine its id; `undefined` frees the disk. */
export function attach(disk: Resource, machine: string | undefined): void {
  disk.properties["managedBy"] = machine;
  disk.properties["diskState"] = machine === undefined ? "Unattached" : "Attached";
}

export function deleteDisk(request: Request): Answer {
  const { account, id } = request;
  const existing = account.get(id);
  if (existing === undefined) return { status: 204 };
  if (existing.properties["managedBy"] !== undefined)
    throw new ArmError(
      409,
      "OperationNotAllowed",
      `Disk ${id} is attached to VM ${textAt(existing.properties, "managedBy")}.`,
    );
  const operation = account.operations.begin(account.delays.deleteDisk, () => {
    if (account.get(id) === existing) account.remove(id);
    return undefined;
  });
  return accepted(request, { status: 202, operation });
}
