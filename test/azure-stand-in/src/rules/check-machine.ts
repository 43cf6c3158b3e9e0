import type { Account } from "../account.ts";
import { ArmError } from "../arm-error.ts";
import type { Size } from "../catalog.ts";
import { checkLinked } from "../permissions.ts";
import { sameId } from "../resource-id.ts";
import { at, textAt, type Json, type Reference, type Resource } from "../resource.ts";
import { checkThere } from "./interfaces.ts";
import type { Request } from "./request.ts";

const bad = (code: string, message: string) => new ArmError(400, code, message);

/** Judges a machine as Compute does before it accepts it. @throws ArmError */
export function checkMachine(request: Request): Size {
  const { account, body } = request;
  const properties = body["properties"] as Json;
  const zone = at<string>(body, "zones", 0) ?? "";
  if (zone !== "" && !account.catalog.zones.includes(zone))
    throw bad("InvalidAvailabilityZone", `The zone(s) '${zone}' for resource are not supported.`);
  const size = checkSize(account, at<string>(properties, "hardwareProfile", "vmSize") ?? "", zone);
  checkUserData(at<string>(properties, "userData") ?? "");
  checkOsProfile(properties);
  checkImage(account, properties, size);
  checkSecurity(properties, size);
  checkInterfaces(request, size);
  checkDisks(request, size, zone);
  return size;
}

function checkSize(account: Account, name: string, zone: string): Size {
  const size = account.catalog.sizes.find((one) => one.name === name);
  if (size === undefined)
    throw bad("InvalidParameter", `The value ${name} provided for the VM size is not valid.`);
  if (size.restricted === true || account.full.has(`${name} ${zone}`))
    throw new ArmError(
      409,
      "SkuNotAvailable",
      `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${name}' is currently not available in location '${account.location}'${zone === "" ? "" : ` zones '${zone}'`}. Please try another size or deploy to a different location or different zone.`,
    );
  if (account.coresLeft < size.vcpus)
    throw new ArmError(
      409,
      "OperationNotAllowed",
      `Operation could not be completed as it results in exceeding approved ${size.family} Cores quota. Additional details - Location: ${account.location}, Current Limit: 10, Additional Required: ${size.vcpus}.`,
    );
  return size;
}

function checkUserData(userData: string): void {
  if (Buffer.from(userData, "base64").toString("base64") !== userData)
    throw bad("InvalidParameter", "UserData must be base64 encoded.");
  if (userData.length > 65_536) throw bad("InvalidParameter", "UserData exceeds 64 KB.");
}

function checkOsProfile(properties: Json): void {
  const name = at<string>(properties, "osProfile", "computerName") ?? "";
  if (!/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/i.test(name))
    throw bad("InvalidParameter", `Linux host name '${name}' is not valid.`);
  const admin = at<string>(properties, "osProfile", "adminUsername") ?? "";
  if (["", "admin", "root", "user", "test", "administrator"].includes(admin.toLowerCase()))
    throw bad("InvalidParameter", "The Admin Username specified is not allowed.");
  const key =
    at<string>(properties, "osProfile", "linuxConfiguration", "ssh", "publicKeys", 0, "keyData") ?? "";
  const password = at<boolean>(
    properties,
    "osProfile",
    "linuxConfiguration",
    "disablePasswordAuthentication",
  );
  if (
    password !== true ||
    !key.startsWith("ssh-rsa AAAA") ||
    Buffer.from(key.split(" ")[1] ?? "", "base64").byteLength < 270
  )
    throw bad("InvalidParameter", "Authentication using SSH needs an RSA key of at least 2048 bit.");
}

function checkImage(account: Account, properties: Json, size: Size): void {
  const reference = at<Json>(properties, "storageProfile", "imageReference") ?? {};
  const id = textAt(reference, "id") || textAt(reference, "communityGalleryImageId");
  const image = account.catalog.images[id.toLowerCase()];
  if (image === undefined)
    throw new ArmError(
      404,
      "GalleryImageNotFound",
      `The gallery image ${id} is not available in ${account.location} region.`,
    );
  if (!image.regions.includes(account.location))
    throw new ArmError(
      404,
      "GalleryImageNotFound",
      `The gallery image ${id} is not available in ${account.location} region. Please contact image owner to replicate to this region.`,
    );
  if (image.arch !== (size.arch ?? "x64"))
    throw bad(
      "BadRequest",
      `Cannot create a VM of size '${size.name}' because this VM size only supports a CPU Architecture of '${size.arch ?? "x64"}', but an image with CPU Architecture '${image.arch}' was given.`,
    );
  const type = at<string>(properties, "securityProfile", "securityType");
  if (
    type === "ConfidentialVM" &&
    !image.security.startsWith("ConfidentialVm") &&
    image.security !== "ConfidentialVM"
  )
    throw bad("BadRequest", `Use of ConfidentialVM setting is not supported for the provided image ${id}.`);
}

function checkSecurity(properties: Json, size: Size): void {
  const type = at<string>(properties, "securityProfile", "securityType");
  const disk = at<string>(
    properties,
    "storageProfile",
    "osDisk",
    "managedDisk",
    "securityProfile",
    "securityEncryptionType",
  );
  const vTpm = at<boolean>(properties, "securityProfile", "uefiSettings", "vTpmEnabled");
  if (type === "ConfidentialVM" && size.confidential === undefined)
    throw bad(
      "BadRequest",
      `The VM size '${size.name}' is not supported for creation of VMs with 'ConfidentialVM' security type.`,
    );
  if ((type === "ConfidentialVM") !== (disk !== undefined))
    throw bad("BadRequest", "securityEncryptionType goes with securityType ConfidentialVM.");
  if (type === "ConfidentialVM" && vTpm !== true) throw bad("BadRequest", "vTpmEnabled must be true.");
  if (
    disk === "DiskWithVMGuestState" &&
    at<boolean>(properties, "securityProfile", "uefiSettings", "secureBootEnabled") !== true
  )
    throw bad("BadRequest", "DiskWithVMGuestState needs secure boot.");
}

function checkInterfaces({ account, id, body }: Request, size: Size): void {
  const references =
    at<readonly Reference[]>(body, "properties", "networkProfile", "networkInterfaces") ?? [];
  if (references.length === 0) throw bad("NetworkInterfacesNotSpecified", "There is no network interface.");
  if (references.length > (size.maxInterfaces ?? 2))
    throw bad(
      "NetworkInterfaceCountExceeded",
      `The number of network interfaces for ${size.name} exceeds ${size.maxInterfaces ?? 2}.`,
    );
  if (references.length > 1 && references.filter((one) => one.properties?.primary === true).length !== 1)
    throw bad("VirtualMachineMustHaveOnePrimaryNetworkInterface", "One of the interfaces must be primary.");
  for (const reference of references) {
    checkLinked(account, "Microsoft.Network/networkInterfaces/join/action", reference.id);
    const card = account.get(reference.id);
    if (card === undefined)
      throw bad(
        "InvalidResourceReference",
        `Resource ${reference.id} referenced by resource ${id} was not found.`,
      );
    checkThere(card, id);
    const holder = at<string>(card.properties, "virtualMachine", "id");
    if (holder !== undefined && !sameId(holder, id))
      throw bad("NicInUse", `Network Interface ${reference.id} is used by existing resource ${holder}.`);
  }
}

function checkDisks({ account, id, body }: Request, size: Size, zone: string): void {
  checkLinked(account, "Microsoft.Compute/disks/write", id);
  const wanted = dataDisksOf(body);
  if (wanted.length > (size.maxDisks ?? 8))
    throw new ArmError(
      409,
      "OperationNotAllowed",
      `The maximum number of data disks allowed to be attached to a VM of this size is ${size.maxDisks ?? 8}.`,
    );
  if (new Set(wanted.map(({ lun }) => lun)).size < wanted.length)
    throw bad("InvalidParameter", "A disk at LUN is specified twice.");
  for (const { diskId } of wanted) {
    const disk = account.get(diskId);
    if (disk === undefined) throw new ArmError(404, "NotFound", `Disk ${diskId} is not found.`);
    checkFree(disk, zone);
  }
}

function checkFree(disk: Resource, zone: string): void {
  if (disk.properties["diskState"] !== "Unattached")
    throw new ArmError(
      409,
      "ConflictingUserInput",
      `Disk '${disk.name}' cannot be attached as the disk is already owned by VM '${textAt(disk.properties, "managedBy")}'.`,
    );
  const [diskZone] = disk.zones ?? [];
  if (diskZone !== undefined && diskZone !== zone)
    throw bad(
      "BadRequest",
      `Disk ${disk.id} cannot be attached to the VM because it is not in zone '${zone}'.`,
    );
}

export function dataDisksOf(body: Json): readonly { readonly lun: number; readonly diskId: string }[] {
  const disks = at<readonly Json[]>(body, "properties", "storageProfile", "dataDisks") ?? [];
  return disks.map((disk) => {
    if (disk["createOption"] !== "Attach" || disk["deleteOption"] === "Delete")
      throw bad("InvalidParameter", "Data disks are attached, and stay.");
    return { lun: disk["lun"] as number, diskId: at<string>(disk, "managedDisk", "id") ?? "" };
  });
}
