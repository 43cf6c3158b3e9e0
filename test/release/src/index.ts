export { startRegistry, type Registry } from "./stand/registry.ts";
export { checkoutAt, createMaintainer, createRemote, type Checkout, type Run } from "./stand/repository.ts";
export { packageNames, writeChange } from "./stand/small-workspace.ts";
export { createStand, type Stand } from "./stand/stand.ts";
