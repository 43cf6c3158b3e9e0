import { ArmError, notFound } from "../arm-error.ts";
import type { Image, Size } from "../catalog.ts";
import { sameId } from "../resource-id.ts";
import type { Answer, Request } from "./request.ts";

/** Sizes as `Microsoft.Compute/skus` lists them; the names of capabilities are those of the service. */
export function listSizes({ account, query }: Request): Answer {
  if (query.get("$filter") !== `location eq '${account.location}'`)
    throw new ArmError(400, "InvalidFilter", "Only a filter by location is supported.");
  const value = account.catalog.sizes.map((size) => shownSize(size, account.location, account.catalog.zones));
  return {
    status: 200,
    body: {
      value: [...value, { resourceType: "disks", name: "Premium_LRS", locations: [account.location] }],
    },
  };
}

function shownSize(size: Size, location: string, zones: readonly string[]): object {
  const capabilities = {
    vCPUs: size.vcpus,
    MemoryGB: size.memoryGiB,
    MaxDataDiskCount: size.maxDisks ?? 8,
    MaxNetworkInterfaces: size.maxInterfaces ?? 2,
    CpuArchitectureType: size.arch ?? "x64",
    PremiumIO: "True",
    ...(size.gpus === undefined ? {} : { GPUs: size.gpus }),
    ...(size.confidential === undefined ? {} : { ConfidentialComputingType: size.confidential }),
  };
  const restrictions = [
    {
      type: "Location",
      values: [location],
      reasonCode: "NotAvailableForSubscription",
      restrictionInfo: { locations: [location] },
    },
  ];
  return {
    resourceType: "virtualMachines",
    name: size.name,
    family: size.family,
    locations: [location],
    locationInfo: [{ location, zones }],
    capabilities: Object.entries(capabilities).map(([name, value]) => ({ name, value: String(value) })),
    restrictions: size.restricted === true ? restrictions : [],
  };
}

/** Quota: what is used and what there is, of all vCPUs and by family. */
export function listUsages({ account }: Request): Answer {
  const used = 10;
  const quota = (name: string) => ({
    currentValue: used,
    limit: used + account.coresLeft,
    unit: "Count",
    name: { value: name, localizedValue: name },
  });
  const families = new Set(account.catalog.sizes.map(({ family }) => family));
  return { status: 200, body: { value: [quota("cores"), ...[...families].map(quota)] } };
}

/** How full the subnets of the network are. */
export function networkUsages({ account, id }: Request): Answer {
  const network = account.catalog.subnet.replace(/\/subnets\/.*$/, "");
  if (!sameId(id.replace(/\/usages$/, ""), network)) throw notFound(id);
  const limit = 65_531;
  const value = [
    { id: account.catalog.subnet, currentValue: limit - account.addressesLeft, limit, unit: "Count" },
  ];
  return { status: 200, body: { value } };
}

export function getSubnet({ account, id }: Request): Answer {
  if (!sameId(id, account.catalog.subnet)) throw notFound(id);
  return { status: 200, body: { id, name: "pods", properties: { addressPrefix: "10.0.0.0/16" } } };
}

export function getSecurityGroup({ account, id }: Request): Answer {
  if (!sameId(id, account.catalog.securityGroup)) throw notFound(id);
  return { status: 200, body: { id, name: "pods", location: account.location, properties: {} } };
}

/** A version of a gallery's image: where its copies are. */
export function getImageVersion(request: Request): Answer {
  const image = imageOf(request, request.id);
  const targetRegions = image.regions.map((name) => ({ name: name === "westeurope" ? "West Europe" : name }));
  return { status: 200, body: { id: request.id, properties: { publishingProfile: { targetRegions } } } };
}

/** The definition of a gallery's image: what machines it is for. */
export function getImageDefinition(request: Request): Answer {
  const { catalog } = request.account;
  const versions = `${request.id}/versions/`.toLowerCase();
  const image = Object.entries(catalog.images).find(([id]) => id.startsWith(versions))?.[1];
  if (image === undefined) throw notFound(request.id);
  return {
    status: 200,
    body: {
      id: request.id,
      properties: {
        architecture: image.arch,
        hyperVGeneration: "V2",
        features: [{ name: "SecurityType", value: image.security }],
      },
    },
  };
}

/** A managed image, which is in one region. */
export function getManagedImage(request: Request): Answer {
  const [location] = imageOf(request, request.id).regions;
  return { status: 200, body: { id: request.id, location, properties: { hyperVGeneration: "V2" } } };
}

/** A community gallery's version; it exists in the region that is asked, or not at all. */
export function getCommunityVersion(request: Request): Answer {
  const { account, path } = request;
  const [location = "", gallery, image, version] = path.names;
  const key = `/CommunityGalleries/${gallery}/Images/${image}/Versions/${version}`;
  if (!imageOf(request, key).regions.includes(location)) throw notFound(key);
  return { status: 200, body: { name: version, location: account.location, properties: {} } };
}

function imageOf({ account }: Request, id: string): Image {
  const image = account.catalog.images[id.toLowerCase()];
  if (image === undefined) throw new ArmError(404, "NotFound", `The image ${id} is not found.`);
  return image;
}
