import type { Hierarchies } from "../cgroup/hierarchies.ts";
import type { Host } from "../host/host.ts";
import type { GroupExists } from "../host/mapped-groups.ts";
import type { Controllers } from "../runtime-spec/resources.ts";
import type { OomScoreRule } from "../runtime-spec/process.ts";
import type { OciRuntime } from "./runtime.ts";

/** What containers share. */
export interface ContainerContext {
  readonly host: Host;
  readonly runtime: OciRuntime;
  readonly hierarchies: Hierarchies;
  /** What containers can be limited by; undefined: everything is tried. */
  readonly controllers: Controllers;
  readonly groupExists: GroupExists;
  readonly oomScoreAdj: OomScoreRule;
  /** Called each time the kernel has killed processes of a container for lack of memory. */
  onOom(containerId: string): void;
}
