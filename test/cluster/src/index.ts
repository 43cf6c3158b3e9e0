export { helmBinary, missingBinaries, missingHelm, prepareBinaries } from "./binaries.ts";
export { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
