import type { ConnectRouter } from "@connectrpc/connect";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { PodVMInfo } from "@peerpods/kata-protocols/podvminfo";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import { hypervisorService } from "./hypervisor-service.ts";
import type { HypervisorOptions } from "./hypervisor-service.ts";
import { podVMInfoService } from "./pod-vm-info-service.ts";

/** Everything that is served on the hypervisor socket. */
export function hypervisorRoutes(lifecycle: Lifecycle, options: HypervisorOptions) {
  return (router: ConnectRouter): void => {
    router.service(Hypervisor, hypervisorService(lifecycle, options));
    router.service(PodVMInfo, podVMInfoService(lifecycle));
  };
}
