import { finding, type Check } from "./check.ts";

/** Capabilities that links, namespaces and mounts take; numbers of capability.h. */
const needed = [
  { name: "CAP_NET_ADMIN", bit: 12n },
  { name: "CAP_SYS_ADMIN", bit: 21n },
] as const;

export const privileges: Check = {
  area: "privileges",
  async run({ host }) {
    if (host.uid !== 0) {
      return [
        finding("error", "user", {
          message: `this is user ${host.uid}; tunnels and agent sockets need root`,
          remedy: "run the daemon, and this check, as root, e.g. with sudo",
        }),
      ];
    }
    const status = (await host.read("/proc/self/status")) ?? "";
    const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
    const missing = needed.filter(({ bit }) => (held & (1n << bit)) === 0n).map(({ name }) => name);
    if (missing.length === 0) return [];
    return [
      finding("error", missing.join(", "), {
        message: "root lacks these capabilities here, as in a container that is not privileged",
        remedy:
          "add them to the container (securityContext.capabilities, docker run --cap-add), or make it privileged",
      }),
    ];
  },
};
