export { HypervisorClient } from "./hypervisor.ts";
export { startPod, type PodOptions, type PodStep, type RunningPod } from "./pod.ts";
export type { ContainerStdio, RunningContainer } from "./container.ts";
export type { PodFile } from "./copy-file.ts";
export type { ContainerRequest, PodRequest } from "./pod-request.ts";
