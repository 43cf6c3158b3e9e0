import type { Account } from "../account.ts";
import { ArmError } from "../arm-error.ts";
import { at, textAt, type Json, type Reference, type Resource } from "../resource.ts";
import { checkMachine, dataDisksOf } from "./check-machine.ts";
import { checkCommon, shown } from "./common.ts";
import { attach, diskId, newDisk } from "./disks.ts";
import { removeInterface } from "./interfaces.ts";
import { accepted, type Answer, type Request } from "./request.ts";

/** PUT of a machine: judged at once, made afterwards, ready when its guest says so. */
export function putMachine(request: Request): Answer {
  const { account, id, body, path, headers } = request;
  const existing = account.get(id);
  if (existing !== undefined) {
    if (headers["if-none-match"] === "*")
      throw new ArmError(
        412,
        "PreconditionFailed",
        `The precondition If-None-Match does not hold: ${id} exists.`,
      );
    throw new ArmError(409, "PropertyChangeNotAllowed", "Changing a machine is not allowed here.");
  }
  checkCommon(request);
  const size = checkMachine(request);
  const zones = body["zones"] as readonly string[] | undefined;
  const resource: Resource = {
    id,
    name: path.names[0] ?? "",
    type: "Microsoft.Compute/virtualMachines",
    location: account.location,
    tags: (body["tags"] ?? {}) as Resource["tags"],
    ...(zones === undefined ? {} : { zones }),
    properties: {
      ...structuredClone(body["properties"] as Json),
      provisioningState: "Creating",
      vmId: crypto.randomUUID(),
      timeCreated: new Date(account.now()).toISOString(),
    },
  };
  account.put(resource);
  account.coresLeft -= size.vcpus;
  resource.properties["cores"] = size.vcpus;
  for (const card of interfacesOf(account, resource)) card.properties["virtualMachine"] = { id };
  for (const { diskId: data } of dataDisksOf(body)) attachData(account, { data, id });
  const root =
    at<string>(body, "properties", "storageProfile", "osDisk", "name") ?? `${resource.name}_OsDisk`;
  // Inferred: the disk that comes with a machine has the machine's tags.
  newDisk(account, {
    name: root,
    tags: resource.tags,
    managedBy: id,
    ...(zones === undefined ? {} : { zones }),
  });
  const operation = begin(account, resource, `${size.name} ${zones?.[0] ?? ""}`);
  resource.properties["operation"] = operation;
  return accepted(request, { status: 201, body: shownMachine(resource), operation });
}

function attachData(account: Account, { data, id }: { readonly data: string; readonly id: string }): void {
  const disk = account.get(data);
  if (disk !== undefined) attach(disk, id);
}

function begin(account: Account, machine: Resource, place: string): string {
  const { createMachine, allocate } = account.delays;
  const full = account.fullLater.has(place);
  return account.operations.begin(full ? allocate : createMachine, () => {
    machine.properties["provisioningState"] = full ? "Failed" : "Succeeded";
    return full
      ? {
          code: "ZonalAllocationFailed",
          message:
            "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone.",
        }
      : undefined;
  });
}

/** DELETE of a machine, also of one that is still being made. */
export function deleteMachine(request: Request): Answer {
  const { account, id } = request;
  const existing = account.get(id);
  if (existing === undefined) return { status: 204 };
  account.operations.preempt(existing.properties["operation"] as string | undefined);
  existing.properties["provisioningState"] = "Deleting";
  const operation = account.operations.begin(account.delays.deleteMachine, () => {
    if (account.get(id) === existing) removeMachine(account, existing);
    return undefined;
  });
  return accepted(request, { status: 202, operation });
}

/** Takes the machine away, frees what it had, and lets go what goes with it. */
export function removeMachine(account: Account, machine: Resource): void {
  const { cascade } = account.delays;
  account.remove(machine.id);
  account.coresLeft += machine.properties["cores"] as number;
  const references =
    at<readonly Reference[]>(machine.properties, "networkProfile", "networkInterfaces") ?? [];
  for (const reference of references) {
    const card = account.get(reference.id);
    if (card === undefined) continue;
    delete card.properties["virtualMachine"];
    if (reference.properties?.deleteOption === "Delete")
      account.operations.after(cascade, () => {
        if (account.get(card.id) === card) removeInterface(account, card);
      });
  }
  for (const disk of account.ofType("Microsoft.Compute/disks"))
    if (disk.properties["managedBy"] === machine.id) attach(disk, undefined);
  const root = at<Json>(machine.properties, "storageProfile", "osDisk") ?? {};
  const rootId = diskId(account, textAt(root, "name"));
  const disk = account.get(rootId);
  if (root["deleteOption"] === "Delete" && disk !== undefined)
    account.operations.after(cascade, () => {
      if (account.get(rootId) === disk) account.remove(rootId);
    });
}

export function interfacesOf(account: Account, machine: Resource): readonly Resource[] {
  const references =
    at<readonly Reference[]>(machine.properties, "networkProfile", "networkInterfaces") ?? [];
  return references.flatMap(({ id }) => account.get(id) ?? []);
}

/** What of a machine is answered: user data only where it is asked for. */
export function shownMachine(machine: Resource, { userData = false } = {}): object {
  const { operation: _operation, cores: _cores, userData: data, ...properties } = machine.properties;
  return shown({ ...machine, properties: userData ? { ...properties, userData: data } : properties });
}

export function getMachine({ account, id, query }: Request): Answer {
  const machine = account.get(id);
  if (machine === undefined)
    throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
  return { status: 200, body: shownMachine(machine, { userData: query.get("$expand") === "userData" }) };
}

/** Where the console can be read: an address that needs no token, for a while. */
export function consoleOf({ account, id: act, origin }: Request): Answer {
  const id = act.slice(0, act.lastIndexOf("/"));
  const machine = account.get(id);
  if (machine === undefined)
    throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
  if (at<boolean>(machine.properties, "diagnosticsProfile", "bootDiagnostics", "enabled") !== true)
    throw new ArmError(409, "BootDiagnosticsNotEnabled", "Boot diagnostics is not enabled.");
  return {
    status: 200,
    body: {
      serialConsoleLogBlobUri: `${origin}/blobs/${machine.name}.serialconsole.log?sig=secret-of-the-blob`,
    },
  };
}
