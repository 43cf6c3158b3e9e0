/** Files of the pod VM's root that do not come from this machine. */
import { file, type LayerRecipe } from "./layer.ts";

/** One directory for all programs and one for all libraries, under every name that programs know them by. */
export const baseLinks: LayerRecipe["links"] = {
  "/bin": "usr/bin",
  "/sbin": "usr/bin",
  "/usr/sbin": "bin",
  "/lib": "usr/lib",
  "/lib64": "usr/lib64",
  "/var/run": "../run",
  "/etc/mtab": "../proc/self/mounts",
};

export const baseDirectories: LayerRecipe["directories"] = [
  "/dev",
  "/etc",
  "/media/cidata",
  "/proc",
  "/root",
  "/run",
  "/sys",
  "/tmp",
  "/usr/lib64",
  "/var/lib",
  "/var/log/peerpods",
  "/var/tmp",
];

export const baseTexts: LayerRecipe["texts"] = {
  "/etc/passwd": file(
    "root:x:0:0:root:/root:/bin/sh",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ),
  "/etc/group": file("root:x:0:", "tty:x:5:", "nogroup:x:65534:"),
  "/etc/hosts": file("127.0.0.1 localhost", "::1 localhost"),
  "/etc/nsswitch.conf": file("passwd: files", "group: files", "hosts: files dns"),
  "/etc/os-release": file('ID="peerpods"', 'NAME="Peer Pods"', 'PRETTY_NAME="Peer Pods local pod VM"'),
  // Which images may run is the concern of the agent's policy, not of the tool that fetches them.
  "/etc/containers/policy.json": file(JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] })),
};
