import { childOf, itemsOf, parseAnswer, textOf, type AwsStandIn, type Xml } from "@peerpods/aws-stand-in";

/** What a test's account has from the start. */
export interface AwsAccount {
  readonly image: string;
  /** Of another architecture. */
  readonly armImage: string;
  readonly zones: readonly { readonly zone: string; readonly subnet: string }[];
  readonly securityGroup: string;
  /** Free data volumes in the first zone. */
  readonly volumes: readonly string[];
}

/** Looks up what moto brings, and makes the volumes. */
export async function prepareAccount({ moto }: AwsStandIn): Promise<AwsAccount> {
  const images = itemsOf(parseAnswer(await moto.call("DescribeImages")), "imagesSet");
  const image = (arch: string) =>
    textOf(
      images.find((one) => textOf(one, "architecture") === arch && textOf(one, "platform") !== "windows"),
      "imageId",
    );
  const subnets = itemsOf(parseAnswer(await moto.call("DescribeSubnets")), "subnetSet");
  const zones = subnets.slice(0, 2).map((subnet) => ({
    zone: textOf(subnet, "availabilityZone"),
    subnet: textOf(subnet, "subnetId"),
  }));
  const groups = itemsOf(parseAnswer(await moto.call("DescribeSecurityGroups")), "securityGroupInfo");
  const volumes: string[] = [];
  for (let count = 0; count < 3; count++) {
    const made = parseAnswer(
      await moto.call("CreateVolume", { AvailabilityZone: zones[0]?.zone ?? "", Size: "1" }),
    );
    volumes.push(textOf(made, "volumeId"));
  }
  return {
    image: image("x86_64"),
    armImage: image("arm64"),
    zones,
    securityGroup: textOf(groups[0], "groupId"),
    volumes,
  };
}

/** Everything that exists and costs something. */
export async function census({ state }: AwsStandIn): Promise<readonly string[]> {
  const states = ["pending", "running", "shutting-down", "stopping", "stopped"];
  const values = states.map((name, index) => [`Filter.1.Value.${index + 1}`, name]);
  const alive = await state.instances({
    "Filter.1.Name": "instance-state-name",
    ...Object.fromEntries(values),
  });
  return [
    ...alive.map((one) => textOf(one, "instanceId")),
    ...(await state.interfaces({})).map((one) => textOf(one, "networkInterfaceId")),
    ...(await state.volumes({})).map((one) => textOf(one, "volumeId")),
    ...(await state.addresses({})).map((one) => textOf(one, "allocationId")),
  ];
}

/** The user data that an instance was made with. */
export async function userDataOf({ moto }: AwsStandIn, instanceId: string): Promise<string> {
  const answer = parseAnswer(
    await moto.call("DescribeInstanceAttribute", { InstanceId: instanceId, Attribute: "userData" }),
  );
  return Buffer.from(textOf(childOf(answer, "userData"), "value"), "base64").toString("utf8");
}

/** Tags of an instance and of each resource that was made with it. */
export async function tagsOf(
  { state }: AwsStandIn,
  instanceId: string,
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const instances = await state.instances({ "InstanceId.1": instanceId });
  const volumes = (await state.volumes({})).filter((volume) =>
    itemsOf(volume, "attachmentSet").some(
      (one) => textOf(one, "instanceId") === instanceId && textOf(one, "device") === rootOf(instances[0]),
    ),
  );
  const cards = (await state.interfaces({})).filter(
    (card) => textOf(childOf(card, "attachment"), "instanceId") === instanceId,
  );
  const ids = new Set(cards.map((card) => textOf(card, "networkInterfaceId")));
  const addresses = (await state.addresses({})).filter((one) => ids.has(textOf(one, "networkInterfaceId")));
  const named = (list: readonly Xml[], id: string) =>
    list.map((one) => [textOf(one, id), tagSet(one)] as const);
  return Object.fromEntries([
    ...named(instances, "instanceId"),
    ...named(volumes, "volumeId"),
    ...named(cards, "networkInterfaceId"),
    ...named(addresses, "allocationId"),
  ]);
}

/** The instance is terminated behind the provider's back; its second interface and that one's address stay. */
export async function vanish(standIn: AwsStandIn, instanceId: string): Promise<void> {
  const { moto, state } = standIn;
  const cards = (await state.interfaces({})).filter(
    (card) => textOf(childOf(card, "attachment"), "instanceId") === instanceId,
  );
  await moto.call("TerminateInstances", { "InstanceId.1": instanceId });
  const left = new Set((await state.interfaces({})).map((card) => textOf(card, "networkInterfaceId")));
  for (const card of cards) {
    const id = textOf(card, "networkInterfaceId");
    const { attachmentId, deviceIndex } = childOf(card, "attachment") as Record<string, string>;
    if (left.has(id)) await moto.call("DetachNetworkInterface", { AttachmentId: attachmentId ?? "" });
    if (deviceIndex !== "0") continue;
    if (left.has(id)) await moto.call("DeleteNetworkInterface", { NetworkInterfaceId: id });
    await state.forgetTags([id]);
  }
}

function rootOf(instance: Xml | undefined): string {
  return textOf(instance, "rootDeviceName");
}

function tagSet(resource: Xml): Readonly<Record<string, string>> {
  return Object.fromEntries(
    itemsOf(resource, "tagSet").map((tag) => [textOf(tag, "key"), textOf(tag, "value")]),
  );
}
