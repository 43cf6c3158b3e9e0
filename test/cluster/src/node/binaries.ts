import { RUNC } from "../binaries.ts";
import { goModulePrograms } from "../go-program.ts";

const CONTAINERD = "2.2.1";
const CNI = "1.9.0";

/** Directory with containerd, its shim for runc, and ctr. */
export async function containerdBinaries(): Promise<string> {
  const cmd = "github.com/containerd/containerd/v2/cmd";
  return await goModulePrograms("containerd", {
    module: "github.com/containerd/containerd/v2",
    version: CONTAINERD,
    programs: Object.fromEntries(
      ["containerd", "containerd-shim-runc-v2", "ctr"].map((name) => [name, `${cmd}/${name}`]),
    ),
  });
}

/** Directory with the CNI plugins that one node's pod network needs. */
export async function cniPlugins(): Promise<string> {
  const plugins = "github.com/containernetworking/plugins/plugins";
  return await goModulePrograms("cni", {
    module: "github.com/containernetworking/plugins",
    version: CNI,
    programs: {
      bridge: `${plugins}/main/bridge`,
      loopback: `${plugins}/main/loopback`,
      "host-local": `${plugins}/ipam/host-local`,
      portmap: `${plugins}/meta/portmap`,
    },
  });
}

/** Directory with runc as containerd wants it: with seccomp, which takes libseccomp's headers and pkg-config. */
export async function runcWithSeccomp(): Promise<string> {
  return await goModulePrograms("runc-seccomp", {
    module: "github.com/opencontainers/runc",
    version: RUNC,
    programs: { runc: "github.com/opencontainers/runc" },
    tags: "seccomp",
    cgo: true,
  });
}
