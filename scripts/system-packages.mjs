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

const lists = { demo: forPods, test: forPods };

/** Packages of a list that are not on this machine. */
export function missingPackages(list) {
  return lists[list].filter((p) => !p.present());
}
