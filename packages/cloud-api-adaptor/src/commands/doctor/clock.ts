import { finding, type Check } from "./check.ts";

/** Certificates are valid from a moment before they are made; a wrong clock makes VMs refuse them. */
export const clock: Check = {
  area: "clock",
  async run({ host, signal }) {
    if (host.now() < host.builtAtMs) {
      return [
        finding("error", "clock", {
          message: `it says ${new Date(host.now()).toISOString()}, which is before this program was installed`,
          remedy: "set it, and keep it right with chrony or systemd-timesyncd",
        }),
      ];
    }
    const { ok, stdout } = await host.run("timedatectl", ["show", "--property=NTPSynchronized", "--value"], {
      signal,
    });
    if (!ok || stdout.trim() !== "no") return [];
    return [
      finding("warning", "clock", {
        message: "it is not synchronised; a pod VM whose clock differs refuses the node's certificates",
        remedy: "timedatectl set-ntp true, or run chrony",
      }),
    ];
  },
};
