import {
  encodeUserData,
  type CreateInstanceRequest,
  type Placement,
  type UserDataLimit,
} from "@peerpods/cloud-providers";
import type { AzureConfig } from "./config.ts";
import { imageReference } from "./image-reference.ts";
import { computerNameOf, partNames } from "./names.ts";
import { machineTags } from "./tags.ts";

/** What the request for a machine is made of, beside the pod's own. */
export interface MachineFacts {
  readonly config: AzureConfig;
  readonly placement: Placement;
  /** Name of the machine. */
  readonly machine: string;
  /** Ids of its interfaces, the one to dial first. */
  readonly interfaces: readonly string[];
  readonly sshKey: string;
}

/** Azure counts the characters after the encoding. */
export const userDataLimit: UserDataLimit = {
  carrier: "Azure userData",
  encoding: "base64",
  maxBytes: 65_536,
  counts: "encoded",
};

/**
 * Body of the request that makes one pod VM. Interfaces and root disk go with the machine, data disks stay.
 * @throws ProviderError `invalid_request` for user data over 48 KiB, or an image that is none.
 */
export function machineRequest(request: CreateInstanceRequest, facts: MachineFacts): object {
  const { config, placement, interfaces } = facts;
  const { spec } = request;
  const spot = spec.spot === true || config.spot.always;
  return {
    location: config.region,
    tags: machineTags(request, config.tags),
    ...(placement.zone === "" ? {} : { zones: [placement.zone] }),
    properties: {
      hardwareProfile: { vmSize: placement.instanceType },
      storageProfile: storage(request, facts),
      osProfile: system(request, facts),
      networkProfile: {
        networkInterfaces: interfaces.map((id, index) => ({
          id,
          properties: { primary: index === 0, deleteOption: "Delete" },
        })),
      },
      userData: encodeUserData(request.userData, userDataLimit),
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
      ...security(config),
      ...(spot ? spotOptions(config.spot.maxPrice) : {}),
    },
  };
}

function storage({ spec }: CreateInstanceRequest, { config, machine }: MachineFacts): object {
  const { rootDisk, confidential, image } = config;
  return {
    imageReference: imageReference(spec.image === "" ? image : spec.image),
    osDisk: {
      name: partNames(machine).rootDisk,
      createOption: "FromImage",
      caching: "ReadWrite",
      deleteOption: "Delete",
      managedDisk: {
        storageAccountType: rootDisk.type,
        ...(confidential ? { securityProfile: { securityEncryptionType: "VMGuestStateOnly" } } : {}),
      },
      ...(rootDisk.sizeGiB > 0 ? { diskSizeGB: rootDisk.sizeGiB } : {}),
    },
    dataDisks: spec.volumes.map(({ diskId }, lun) => ({
      lun,
      createOption: "Attach",
      deleteOption: "Detach",
      managedDisk: { id: diskId },
    })),
  };
}

function system({ name }: CreateInstanceRequest, { config, sshKey }: MachineFacts): object {
  const { user } = config.ssh;
  return {
    computerName: computerNameOf(name),
    adminUsername: user,
    linuxConfiguration: {
      disablePasswordAuthentication: true,
      ssh: { publicKeys: [{ path: `/home/${user}/.ssh/authorized_keys`, keyData: sshKey }] },
    },
  };
}

/** A confidential VM, by SEV-SNP or TDX as the size has it; else, for secure boot, a trusted launch VM; else a plain one. */
function security({ confidential, secureBoot }: AzureConfig): object {
  if (!confidential && !secureBoot) return {};
  return {
    securityProfile: {
      securityType: confidential ? "ConfidentialVM" : "TrustedLaunch",
      uefiSettings: { secureBootEnabled: secureBoot, vTpmEnabled: true },
    },
  };
}

/** -1 is Azure's word for "up to the regular price". */
function spotOptions(maxPrice: string): object {
  return {
    priority: "Spot",
    evictionPolicy: "Delete",
    billingProfile: { maxPrice: maxPrice === "" ? -1 : Number(maxPrice) },
  };
}
