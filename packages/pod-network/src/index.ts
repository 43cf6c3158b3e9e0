export { createIpRoute2 } from "./driver/iproute2.ts";
export { runCommand } from "./driver/run.ts";
export { PodNetworkError, isPodNetworkError } from "./errors.ts";
export { setUpPodVMNetwork } from "./podvm/set-up.ts";
export { tearDownPodVMNetwork } from "./podvm/tear-down.ts";
export { listTunnelRules } from "./tunnel/notrack.ts";
export { inspectWorkerNetwork } from "./worker/inspect.ts";
export { setUpWorkerTunnel } from "./worker/set-up.ts";
export { tearDownWorkerTunnel } from "./worker/tear-down.ts";

export type { Command } from "./driver/batch.ts";
export type { CommandOptions, IpRoute2, IpRoute2Options, QueryOptions } from "./driver/iproute2.ts";
export type { CommandRequest, CommandResult, RunCommand } from "./driver/run.ts";
export type { PodNetworkErrorCode } from "./errors.ts";
export type { PodVMNetworkOptions } from "./podvm/options.ts";
export type { TunnelEnd } from "./tunnel/vxlan.ts";
export type { WorkerNetwork, WorkerNetworkRequest } from "./worker/inspect.ts";
export type { WorkerTunnel } from "./worker/plan.ts";
