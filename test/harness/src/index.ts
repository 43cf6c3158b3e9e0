export { buildOnce, cacheDirectory } from "./cache.ts";
export { FaultPlan, type ArmedFault, type Fault, type FaultKind } from "./fault-plan.ts";
export { buildGoProgram, missingGo } from "./go.ts";
export { freePort } from "./ports.ts";
export { startProcess, type RunningProcess } from "./process.ts";
export { until } from "./until.ts";
export { playFault, type Due, type FaultyExchange } from "./play-fault.ts";
