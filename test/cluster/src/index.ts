export { helmBinary, missingBinaries, missingHelm, prepareBinaries, runcBinary } from "./binaries.ts";
export { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
export { prepareNode, startNode, type Node, type NodeOptions } from "./node/node.ts";
