export { missingBinaries } from "./binaries.ts";
export { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
