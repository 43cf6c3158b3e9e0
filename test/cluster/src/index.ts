export { helmBinary, missingBinaries, missingHelm, prepareBinaries, runcBinary } from "./binaries.ts";
export { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
