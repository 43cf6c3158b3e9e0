import { account, profiles } from "../account.ts";
import { ApiError } from "../api-error.ts";
import {
  booleanAt,
  checkModel,
  identityAt,
  listAt,
  nameAt,
  objectAt,
  textAt,
  type Json,
} from "../check-shape.ts";
import type { State, StoredInstance, StoredInterface } from "../state.ts";
import { checkTag } from "../tagging.ts";
import { crnOf, imageAnswer, keyAnswer, securityGroupAnswer, subnetAnswer } from "./answers.ts";

const MAX_USER_DATA = 65_536;
const MAX_DATA_VOLUMES = 12;

/** `POST /instances`: judges the whole prototype first, then makes all of it. */
export function createInstance(state: State, body: unknown): StoredInstance {
  const prototype = checkModel("InstancePrototype", body, "instance");
  const name = nameAt(prototype["name"], "instance.name");
  const zone = identityAt(prototype["zone"], "name", "instance.zone");
  if (zone !== account.zone)
    throw new ApiError(400, "invalid_zone", `zone ${zone} does not exist in this region`);
  const vpc = identityAt(prototype["vpc"], "id", "instance.vpc");
  if (vpc !== account.vpc) throw new ApiError(404, "vpc_not_found", `VPC ${vpc} does not exist`);
  const profile = checkMachine(prototype);
  const userData = prototype["user_data"] ?? "";
  if (typeof userData !== "string" || Buffer.byteLength(userData) > MAX_USER_DATA)
    throw new ApiError(
      400,
      "bad_field",
      `instance.user_data is not a text of at most ${MAX_USER_DATA} bytes`,
    );
  for (const [index, key] of listAt(prototype["keys"], "instance.keys").entries())
    existing("key", keyAnswer(identityAt(key, "id", `instance.keys[${index}]`)));
  if (prototype["metadata_service"] !== undefined) checkMetadataService(prototype["metadata_service"]);
  if (prototype["resource_group"] !== undefined) {
    const group = identityAt(prototype["resource_group"], "id", "instance.resource_group");
    if (group !== account.resourceGroup)
      throw new ApiError(400, "resource_group_not_found", `no resource group ${group}`);
  }
  const target = targetOf(prototype);
  const tags = bootTags(prototype["boot_volume_attachment"]);
  const volumes = dataVolumes(state, prototype["volume_attachments"]);
  const cards = [
    prototype["primary_network_interface"],
    ...listAt(prototype["network_interfaces"], "instance.network_interfaces"),
  ].map((card, index) => interfaceOf(state, card, index));
  if (state.instanceNamed(name) !== undefined)
    throw new ApiError(400, "validation_unique_failed", `Provided Name (${name}) is not unique`);
  if (state.instances.size >= state.quota)
    throw new ApiError(400, "over_quota", "the quota of instances is reached");

  const id = state.newId("09a1").replace("-", "_");
  const bootVolume = state.newId("r910");
  const instance: StoredInstance = {
    id,
    crn: crnOf("instance", id),
    name,
    profile,
    zone,
    image: identityAt(prototype["image"], "id", "instance.image"),
    vpc,
    resourceGroup: account.resourceGroup,
    createdAt: new Date().toISOString(),
    userData,
    mode: textAt(prototype["confidential_compute_mode"] ?? "disabled", "instance.confidential_compute_mode"),
    secureBoot: booleanAt(prototype["enable_secure_boot"] ?? false, "instance.enable_secure_boot"),
    target,
    interfaces: cards,
    bootVolume,
    attachments: volumes.map(({ volume, name: attachment }) => ({
      id: `${volume}-at`,
      name: attachment,
      volume,
    })),
    status: "pending",
    reason: "",
    looks: 0,
  };
  state.instances.set(id, instance);
  state.volumes.set(bootVolume, {
    id: bootVolume,
    name: `${name}-boot`,
    boot: true,
    userTags: tags,
    instance: id,
  });
  for (const { volume } of volumes) {
    const stored = state.volumes.get(volume);
    if (stored !== undefined) stored.instance = id;
  }
  return instance;
}

function checkMachine(prototype: Json): string {
  const name = identityAt(prototype["profile"], "name", "instance.profile");
  const profile = profiles.find((one) => one.name === name);
  if (profile === undefined) throw new ApiError(404, "profile_not_found", `profile ${name} does not exist`);
  const imageId = identityAt(prototype["image"], "id", "instance.image");
  const image = existing("image", imageAnswer(imageId)) as {
    readonly status: string;
    readonly operating_system: { readonly architecture: string };
  };
  if (image.status !== "available")
    throw new ApiError(400, "invalid_image_status", `image ${imageId} is ${image.status}`);
  if (image.operating_system.architecture !== profile.arch)
    throw new ApiError(400, "validation_image_profile", `image ${imageId} is not for ${profile.arch}`);
  if (prototype["confidential_compute_mode"] === undefined) return name;
  const mode = textAt(prototype["confidential_compute_mode"], "instance.confidential_compute_mode");
  if (profile.arch === "s390x")
    throw new ApiError(400, "bad_field", "confidential_compute_mode is not for s390x");
  if (!profile.modes.includes(mode))
    throw new ApiError(400, "validation_confidential_mode", `profile ${name} does not support ${mode}`);
  if (mode === "tdx" && prototype["enable_secure_boot"] !== true)
    throw new ApiError(400, "validation_secure_boot", "tdx needs secure boot");
  return name;
}

function checkMetadataService(value: unknown): void {
  const service = checkModel("MetadataServicePrototype", value, "instance.metadata_service");
  booleanAt(service["enabled"], "instance.metadata_service.enabled");
  if (!["http", "https", undefined].includes(service["protocol"] as string | undefined))
    throw new ApiError(400, "bad_field", "instance.metadata_service.protocol is neither http nor https");
}

function targetOf(prototype: Json): string | undefined {
  if (prototype["placement_target"] === undefined) return undefined;
  const id = identityAt(prototype["placement_target"], "id", "instance.placement_target");
  if (![account.dedicatedHost, account.dedicatedHostGroup].includes(id))
    throw new ApiError(
      400,
      "placement_target_not_found",
      `placement target ${id} does not exist in this zone`,
    );
  return id;
}

function bootTags(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const attachment = checkModel("BootVolumeAttachmentPrototype", value, "boot_volume_attachment");
  if (attachment["delete_volume_on_instance_delete"] === false)
    throw new Error("nobody here wants boot volumes to stay");
  const volume = checkModel("BootVolumePrototype", attachment["volume"], "boot_volume_attachment.volume");
  identityAt(volume["profile"], "name", "boot_volume_attachment.volume.profile");
  if (volume["name"] !== undefined) nameAt(volume["name"], "boot_volume_attachment.volume.name");
  return listAt(volume["user_tags"], "boot_volume_attachment.volume.user_tags").map((tag) =>
    checkTag(tag).toLowerCase(),
  );
}

function dataVolumes(
  state: State,
  value: unknown,
): readonly { readonly volume: string; readonly name: string }[] {
  const list = listAt(value, "volume_attachments");
  if (list.length > MAX_DATA_VOLUMES)
    throw new ApiError(400, "over_quota", `more than ${MAX_DATA_VOLUMES} data volumes`);
  return list.map((item, index) => {
    const path = `volume_attachments[${index}]`;
    const attachment = checkModel("VolumeAttachmentPrototype", item, path);
    const id = identityAt(attachment["volume"], "id", `${path}.volume`);
    const volume = existing("volume", state.volumes.get(id)) as { readonly instance: string | undefined };
    if (volume.instance !== undefined) throw new ApiError(409, "volume_in_use", `volume ${id} is attached`);
    return { volume: id, name: nameAt(attachment["name"], `${path}.name`) };
  });
}

function interfaceOf(state: State, value: unknown, index: number): StoredInterface {
  const path = index === 0 ? "primary_network_interface" : `network_interfaces[${index - 1}]`;
  const card = checkModel("NetworkInterfacePrototype", value, path);
  const subnet = identityAt(card["subnet"], "id", `${path}.subnet`);
  const described = objectAt(existing("subnet", subnetAnswer(subnet)), path);
  if (described["available_ipv4_address_count"] === 0)
    throw new ApiError(400, "insufficient_addresses", `subnet ${subnet} has no free address`);
  if ((described["zone"] as { readonly name: string }).name !== account.zone)
    throw new ApiError(400, "validation_zone", `subnet ${subnet} is in another zone`);
  for (const [at, group] of listAt(card["security_groups"], `${path}.security_groups`).entries())
    existing(
      "security group",
      securityGroupAnswer(identityAt(group, "id", `${path}.security_groups[${at}]`)),
    );
  if (card["allow_ip_spoofing"] !== undefined)
    booleanAt(card["allow_ip_spoofing"], `${path}.allow_ip_spoofing`);
  return {
    id: state.newId("09a1"),
    name: nameAt(card["name"], `${path}.name`),
    subnet,
    address: state.newAddress(),
  };
}

function existing(what: string, thing: object | undefined): object {
  if (thing !== undefined) return thing;
  throw new ApiError(404, `${what.replaceAll(" ", "_")}_not_found`, `the ${what} does not exist`);
}
