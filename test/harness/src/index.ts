export { buildOnce, cacheDirectory } from "./cache.ts";
export { buildGoProgram, missingGo } from "./go.ts";
export { freePort } from "./ports.ts";
export { startProcess, type RunningProcess } from "./process.ts";
export { until } from "./until.ts";
