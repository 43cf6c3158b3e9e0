import {
  at,
  interfacesOf,
  newDisk,
  removeMachine,
  type AzureStandIn,
  type Json,
} from "@peerpods/azure-stand-in";

/** Free data disks: of no zone, so that a machine in any zone may have them. @returns their ids. */
export function makeVolumes({ account }: AzureStandIn, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => newDisk(account, { name: `data-${index}` }).id);
}

/** Everything that exists and costs something. */
export function census({ account }: AzureStandIn): readonly string[] {
  account.operations.settle();
  return [...account.resources.values()].map(({ id }) => id);
}

/** The user data that a machine was made with. */
export function userDataOf({ account }: AzureStandIn, id: string): string {
  const data = at<string>(account.get(id)?.properties, "userData") ?? "";
  return Buffer.from(data, "base64").toString("utf8");
}

/** Tags of a machine and of each resource that was made with it. */
export function tagsOf(
  { account }: AzureStandIn,
  id: string,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const machine = account.get(id);
  if (machine === undefined) return {};
  const cards = interfacesOf(account, machine);
  const addresses = cards.flatMap((card) =>
    (at<readonly Json[]>(card.properties, "ipConfigurations") ?? []).flatMap(
      (one) => account.get(at<string>(one, "properties", "publicIPAddress", "id")) ?? [],
    ),
  );
  const root = at<string>(machine.properties, "storageProfile", "osDisk", "name");
  const disks = account.ofType("Microsoft.Compute/disks").filter(({ name }) => name === root);
  return Object.fromEntries([machine, ...cards, ...addresses, ...disks].map((one) => [one.id, one.tags]));
}

/** Takes the machine away behind the provider's back, so that nothing goes along. */
export function vanish({ account }: AzureStandIn, id: string): void {
  const machine = account.get(id);
  if (machine === undefined) return;
  for (const reference of at<{ properties?: Json }[]>(
    machine.properties,
    "networkProfile",
    "networkInterfaces",
  ) ?? [])
    delete reference.properties;
  delete at<Json>(machine.properties, "storageProfile", "osDisk")?.["deleteOption"];
  removeMachine(account, machine);
}
