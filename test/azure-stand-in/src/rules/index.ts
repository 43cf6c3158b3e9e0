import { deleteAddress, putAddress } from "./addresses.ts";
import {
  getCommunityVersion,
  getImageDefinition,
  getImageVersion,
  getManagedImage,
  getSecurityGroup,
  getSubnet,
  listSizes,
  listUsages,
  networkUsages,
} from "./catalog.ts";
import { deleteDisk } from "./disks.ts";
import { deleteInterface, getResource, putInterface } from "./interfaces.ts";
import { listByTag, listOf } from "./listings.ts";
import { consoleOf, deleteMachine, getMachine, putMachine } from "./machines.ts";
import type { Answer, Request } from "./request.ts";
import { getGroup, getOperation, getPermissions, getSubscription } from "./scopes.ts";

/** One kind of request: what it needs the permission for, and what it does. */
export interface Rule {
  readonly action: string;
  /** Without a description of the type: the versions that are taken, by their form. */
  readonly act: (request: Request) => Answer;
}

const compute = "Microsoft.Compute";
const network = "Microsoft.Network";

/** By method and type; types are lower case, as ARM does not tell cases apart. */
const rules: Readonly<Record<string, Rule>> = {
  "GET microsoft.compute/virtualmachines": { action: `${compute}/virtualMachines/read`, act: getMachine },
  "PUT microsoft.compute/virtualmachines": { action: `${compute}/virtualMachines/write`, act: putMachine },
  "DELETE microsoft.compute/virtualmachines": {
    action: `${compute}/virtualMachines/delete`,
    act: deleteMachine,
  },
  "LIST microsoft.compute/virtualmachines": {
    action: `${compute}/virtualMachines/read`,
    act: listOf(`${compute}/virtualMachines`),
  },
  "POST microsoft.compute/virtualmachines/retrievebootdiagnosticsdata": {
    action: `${compute}/virtualMachines/retrieveBootDiagnosticsData/action`,
    act: consoleOf,
  },
  "GET microsoft.compute/disks": { action: `${compute}/disks/read`, act: getResource },
  "DELETE microsoft.compute/disks": { action: `${compute}/disks/delete`, act: deleteDisk },
  "LIST microsoft.compute/skus": { action: `${compute}/skus/read`, act: listSizes },
  "LIST microsoft.compute/locations/usages": { action: `${compute}/locations/usages/read`, act: listUsages },
  "GET microsoft.compute/images": { action: `${compute}/images/read`, act: getManagedImage },
  "GET microsoft.compute/galleries/images": {
    action: `${compute}/galleries/images/read`,
    act: getImageDefinition,
  },
  "GET microsoft.compute/galleries/images/versions": {
    action: `${compute}/galleries/images/versions/read`,
    act: getImageVersion,
  },
  "GET microsoft.compute/locations/communitygalleries/images/versions": {
    action: `${compute}/locations/communityGalleries/images/versions/read`,
    act: getCommunityVersion,
  },
  "GET microsoft.network/networkinterfaces": {
    action: `${network}/networkInterfaces/read`,
    act: getResource,
  },
  "PUT microsoft.network/networkinterfaces": {
    action: `${network}/networkInterfaces/write`,
    act: putInterface,
  },
  "DELETE microsoft.network/networkinterfaces": {
    action: `${network}/networkInterfaces/delete`,
    act: deleteInterface,
  },
  "LIST microsoft.network/networkinterfaces": {
    action: `${network}/networkInterfaces/read`,
    act: listOf(`${network}/networkInterfaces`),
  },
  "GET microsoft.network/publicipaddresses": {
    action: `${network}/publicIPAddresses/read`,
    act: getResource,
  },
  "PUT microsoft.network/publicipaddresses": {
    action: `${network}/publicIPAddresses/write`,
    act: putAddress,
  },
  "DELETE microsoft.network/publicipaddresses": {
    action: `${network}/publicIPAddresses/delete`,
    act: deleteAddress,
  },
  "LIST microsoft.network/publicipaddresses": {
    action: `${network}/publicIPAddresses/read`,
    act: listOf(`${network}/publicIPAddresses`),
  },
  "GET microsoft.network/virtualnetworks/subnets": {
    action: `${network}/virtualNetworks/subnets/read`,
    act: getSubnet,
  },
  "LIST microsoft.network/virtualnetworks/usages": {
    action: `${network}/virtualNetworks/usages/read`,
    act: networkUsages,
  },
  "GET microsoft.network/networksecuritygroups": {
    action: `${network}/networkSecurityGroups/read`,
    act: getSecurityGroup,
  },
  "GET subscription": { action: "Microsoft.Resources/subscriptions/read", act: getSubscription },
  "GET group": { action: "Microsoft.Resources/subscriptions/resourceGroups/read", act: getGroup },
  "LIST resources": {
    action: "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
    act: listByTag,
  },
  "LIST permissions": { action: "Microsoft.Authorization/permissions/read", act: getPermissions },
  // Inferred: who may begin an operation may also follow it.
  "GET microsoft.compute/locations/operations": { action: "", act: getOperation },
  "GET microsoft.network/locations/operations": { action: "", act: getOperation },
};

export function ruleOf(name: string): Rule | undefined {
  return rules[name];
}
