export { helmBinary, missingBinaries, prepareBinaries } from "./binaries.ts";
export { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
