import type { CloudOperation } from "@peerpods/cloud-providers";

/** One kind of call of the Resource Manager. */
export interface ArmOperation {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Empty: the URL that is called has it. */
  readonly apiVersion: string;
  /** What the role of the caller must allow. Empty: nothing of its own. */
  readonly action: string;
  /** Actions that the same call needs on what it refers to. */
  readonly linked?: readonly string[];
  readonly begins?: boolean;
}

/** Versions of the API. Machines, interfaces and addresses: those of the descriptions that the tests hold requests against. */
const compute = "2025-11-01";
const disks = "2025-01-02";
const network = "2025-05-01";
const galleries = "2024-03-03";

const C = "Microsoft.Compute";
const N = "Microsoft.Network";

/** Every call that this provider makes. The role in `deploy/role.json` is made of their actions. */
export const operations = {
  GetMachine: { method: "GET", apiVersion: compute, action: `${C}/virtualMachines/read` },
  ListMachines: { method: "GET", apiVersion: compute, action: `${C}/virtualMachines/read` },
  PutMachine: {
    method: "PUT",
    apiVersion: compute,
    action: `${C}/virtualMachines/write`,
    linked: [`${C}/disks/write`, `${N}/networkInterfaces/join/action`],
  },
  DeleteMachine: { method: "DELETE", apiVersion: compute, action: `${C}/virtualMachines/delete` },
  GetConsole: {
    method: "POST",
    apiVersion: compute,
    action: `${C}/virtualMachines/retrieveBootDiagnosticsData/action`,
  },
  GetDisk: { method: "GET", apiVersion: disks, action: `${C}/disks/read` },
  DeleteDisk: { method: "DELETE", apiVersion: disks, action: `${C}/disks/delete` },
  ListSizes: { method: "GET", apiVersion: "2021-07-01", action: `${C}/skus/read` },
  ListUsages: { method: "GET", apiVersion: compute, action: `${C}/locations/usages/read` },
  GetManagedImage: { method: "GET", apiVersion: compute, action: `${C}/images/read` },
  GetImageDefinition: { method: "GET", apiVersion: galleries, action: `${C}/galleries/images/read` },
  GetImageVersion: { method: "GET", apiVersion: galleries, action: `${C}/galleries/images/versions/read` },
  GetCommunityImageVersion: {
    method: "GET",
    apiVersion: galleries,
    action: `${C}/locations/communityGalleries/images/versions/read`,
  },
  GetInterface: { method: "GET", apiVersion: network, action: `${N}/networkInterfaces/read` },
  ListInterfaces: { method: "GET", apiVersion: network, action: `${N}/networkInterfaces/read` },
  PutInterface: {
    method: "PUT",
    apiVersion: network,
    action: `${N}/networkInterfaces/write`,
    linked: [
      `${N}/virtualNetworks/subnets/join/action`,
      `${N}/networkSecurityGroups/join/action`,
      `${N}/publicIPAddresses/join/action`,
    ],
    begins: true,
  },
  DeleteInterface: { method: "DELETE", apiVersion: network, action: `${N}/networkInterfaces/delete` },
  GetAddress: { method: "GET", apiVersion: network, action: `${N}/publicIPAddresses/read` },
  ListAddresses: { method: "GET", apiVersion: network, action: `${N}/publicIPAddresses/read` },
  PutAddress: {
    method: "PUT",
    apiVersion: network,
    action: `${N}/publicIPAddresses/write`,
    begins: true,
  },
  DeleteAddress: { method: "DELETE", apiVersion: network, action: `${N}/publicIPAddresses/delete` },
  GetSubnet: { method: "GET", apiVersion: network, action: `${N}/virtualNetworks/subnets/read` },
  ListNetworkUsages: { method: "GET", apiVersion: network, action: `${N}/virtualNetworks/usages/read` },
  GetSecurityGroup: { method: "GET", apiVersion: network, action: `${N}/networkSecurityGroups/read` },
  GetSubscription: {
    method: "GET",
    apiVersion: "2022-12-01",
    action: "Microsoft.Resources/subscriptions/read",
  },
  GetGroup: {
    method: "GET",
    apiVersion: "2021-04-01",
    action: "Microsoft.Resources/subscriptions/resourceGroups/read",
  },
  ListByTag: {
    method: "GET",
    apiVersion: "2021-04-01",
    action: "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
  },
  ListPermissions: {
    method: "GET",
    apiVersion: "2022-04-01",
    action: "Microsoft.Authorization/permissions/read",
  },
  /** The state of something that goes on after its request was answered. */
  GetOperation: { method: "GET", apiVersion: "", action: "" },
} as const satisfies Record<string, ArmOperation>;

export type OperationName = keyof typeof operations;

/**
 * What the call policy must know of a call. All may be repeated: ARM makes a thing once for each name, removes it once, and a
 * machine is made only where there is none of its name.
 */
export function cloudOperation(name: OperationName): CloudOperation {
  const { begins = false }: ArmOperation = operations[name];
  return { name, repeat: "repeatable", begins };
}
