import { podSubnet } from "./node-network.ts";

/** Files of one node, below a directory of its own. */
export interface NodePaths {
  readonly directory: string;
  readonly cni: string;
  readonly runc: string;
}

export function containerdToml({ directory, cni, runc }: NodePaths, extra: string): string {
  const runtime = 'plugins."io.containerd.cri.v1.runtime"';
  return `version = 3
root = "${directory}/containerd"
state = "${directory}/state"
[grpc]
  address = "${directory}/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  discard_unpacked_layers = false
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "localhost/pause:1"
[${runtime}]
  restrict_oom_score_adj = true
  [${runtime}.cni]
    bin_dirs = ["${cni}"]
    conf_dir = "${directory}/cni"
  [${runtime}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [${runtime}.containerd.runtimes.runc.options]
      BinaryName = "${runc}"
${extra}`;
}

export function cniConfiguration(bridge: string): string {
  return JSON.stringify({
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge,
        isGateway: true,
        ipam: { type: "host-local", ranges: [[{ subnet: podSubnet }]], routes: [{ dst: "0.0.0.0/0" }] },
      },
    ],
  });
}

export function kubeletYaml(directory: string): string {
  return JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    containerRuntimeEndpoint: `unix://${directory}/containerd.sock`,
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    evictionHard: {},
    resolvConf: "",
    imageGCHighThresholdPercent: 100,
    healthzPort: 0,
  });
}
