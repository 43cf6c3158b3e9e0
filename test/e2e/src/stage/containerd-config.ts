import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** The handler under which pods of the CRI get the kata shim. */
export const runtimeHandler = "kata-remote";

/** The remote configuration as kata ships it; images come from the guest instead of the nydus snapshotter. */
export function kataConfiguration(hypervisorSocket: string, kubeletRoot = "/var/lib/kubelet"): string {
  return `[hypervisor.remote]
remote_hypervisor_socket = "${hypervisorSocket}"
remote_hypervisor_timeout = 600
disable_guest_selinux = true
[agent.kata]
dial_timeout = 30
[runtime]
internetworking_model = "none"
disable_new_netns = true
static_sandbox_resource_mgmt = true
disable_guest_seccomp = true
create_container_timeout = 60
experimental_force_guest_pull = true
kubelet_root_dir = "${kubeletRoot}"
`;
}

/** Version 2 of the form, which 1.6 reads and 2.x still does. The sandbox image is never run, only unpacked. */
export function containerdConfiguration(directory: string, address: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${address}"
[${cri}]
  restrict_oom_score_adj = true
  sandbox_image = "localhost/busybox:latest"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${directory}/cni"
[${cri}.containerd]
  default_runtime_name = "${runtimeHandler}"
[${cri}.containerd.runtimes.${runtimeHandler}]
  runtime_type = "io.containerd.kata-remote.v2"
  privileged_without_host_devices = true
  pod_annotations = ["io.katacontainers.*"]
  container_annotations = ["io.kubernetes.container.*"]
[${cri}.containerd.runtimes.${runtimeHandler}.options]
  ConfigPath = "${directory}/kata.toml"
`;
}

/** The same runtime in the form of containerd 2, for a node that has other runtimes besides. */
export function kataRuntime(configuration: string): string {
  const runtime = `plugins."io.containerd.cri.v1.runtime".containerd.runtimes.${runtimeHandler}`;
  return `[${runtime}]
  runtime_type = "io.containerd.kata-remote.v2"
  privileged_without_host_devices = true
  pod_annotations = ["io.katacontainers.*"]
  container_annotations = ["io.kubernetes.container.*"]
[${runtime}.options]
  ConfigPath = "${configuration}"
`;
}

/** Where the CNI plug-in puts pods. */
export interface PodNetwork {
  /** Bridge, made with the first pod; also the cgroup parent of pods, which is removed with it. */
  readonly bridge: string;
  /** Three octets, always /24. */
  readonly subnet: string;
}

/** Writes the CNI configuration. Disposal removes the bridge, which the plug-in never does. */
export async function layOutPodNetwork(
  directory: string,
  { bridge, subnet }: PodNetwork,
): Promise<AsyncDisposable> {
  const configuration = {
    cniVersion: "0.4.0",
    name: bridge,
    plugins: [
      {
        type: "bridge",
        bridge,
        isGateway: true,
        ipam: {
          type: "host-local",
          dataDir: join(directory, "addresses"),
          ranges: [[{ subnet: `${subnet}.0/24` }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "loopback" },
    ],
  };
  await mkdir(join(directory, "cni"), { recursive: true });
  await writeFile(join(directory, "cni", "10-pods.conflist"), JSON.stringify(configuration));
  return {
    [Symbol.asyncDispose]: async () =>
      void (await execa("ip", ["link", "delete", bridge], { reject: false })),
  };
}
