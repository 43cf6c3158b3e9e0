export { Account, type Delays } from "./account.ts";
export { newDisk } from "./rules/disks.ts";
export { interfacesOf, removeMachine } from "./rules/machines.ts";
export { at, type Json, type Resource } from "./resource.ts";
export { startAzureStandIn, type AzureStandIn, type AzureStandInOptions, type SeenCall } from "./stand-in.ts";
export { standInIds, standInImages } from "./world.ts";
