// The system packages that the demo and the tests use, each with the way to see whether it is there.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const bins = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const which = (program) => bins.map((dir) => `${dir}/${program}`).find((path) => existsSync(path));
const has = (program) => () => which(program) !== undefined;

/** A busybox that needs no libraries, so that it can be put into an empty image. */
function hasStaticBusybox() {
  const path = which("busybox");
  return path !== undefined && spawnSync("ldd", [path]).status !== 0;
}

const forPods = [
  { name: "iproute2", present: () => has("ip")() && has("tc")() },
  { name: "nftables", present: has("nft") },
  { name: "util-linux", present: () => has("unshare")() && has("nsenter")() },
  { name: "busybox-static", present: hasStaticBusybox },
  { name: "crun", present: () => has("crun")() || has("runc")() },
  { name: "skopeo", present: has("skopeo") },
  { name: "umoci", present: has("umoci") },
  { name: "ca-certificates", present: () => existsSync("/etc/ssl/certs/ca-certificates.crt") },
];

/** libvirt's own test driver, in a virsh. */
const forLibvirtTests = [
  { name: "libvirt-clients", present: has("virsh") },
  { name: "genisoimage", present: () => has("genisoimage")() && has("isoinfo")() },
  { name: "libxml2-utils", present: has("xmllint") },
];

/** A libvirtd that the tests start in namespaces of their own, and guests for it. */
const forLibvirtBoots = [
  { name: "libvirt-daemon", present: has("libvirtd") },
  {
    name: "libvirt-daemon-driver-qemu",
    present: () =>
      existsSync(`/usr/lib/${multiarch()}/libvirt/connection-driver/libvirt_driver_qemu.so`) ||
      existsSync("/usr/lib64/libvirt/connection-driver/libvirt_driver_qemu.so"),
  },
  { name: "qemu-system-x86", present: has("qemu-system-x86_64") },
  { name: "qemu-utils", present: has("qemu-img") },
  { name: "ovmf", present: () => existsSync("/usr/share/OVMF/OVMF_CODE_4M.fd") },
  { name: "dnsmasq-base", present: has("dnsmasq") },
  { name: "tini", present: has("tini") },
  { name: "cpio", present: has("cpio") },
  { name: "binutils", present: has("strip") },
];

/** Debian's name of this machine's architecture in library paths. */
function multiarch() {
  return `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
}

const lists = { demo: forPods, test: [...forPods, ...forLibvirtTests, ...forLibvirtBoots] };

/** Packages of a list that are not on this machine. */
export function missingPackages(list) {
  return lists[list].filter((p) => !p.present());
}
