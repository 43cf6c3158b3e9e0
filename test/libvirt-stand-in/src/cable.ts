import { randomInt } from "node:crypto";
import { execa } from "execa";

/** A cable between this machine and the namespaces of a libvirtd. It goes with the namespaces. */
export interface Cable {
  /** Addresses of both ends, /30. */
  readonly inside: string;
  readonly outside: string;
  /** First three bytes of the guests' network, /24. */
  readonly subnet: string;
  /** Plugs it into the network namespace of that process, as `up0`. */
  connect(pid: number): Promise<void>;
}

/** Chooses addresses that this machine does not use. */
export async function plugIn(unique: string): Promise<Cable> {
  const { stdout: routes } = await execa("ip", ["-4", "route", "show"]);
  const free = () => {
    for (let tries = 0; tries < 1_000; tries++) {
      const number = randomInt(256);
      if (!routes.includes(`10.214.${number}.`) && !routes.includes(`10.215.${number}.`)) return number;
    }
    throw new Error("no free addresses in 10.214.0.0/16 and 10.215.0.0/16");
  };
  const number = free();
  const name = `pplv${unique}`;
  const cable = {
    outside: `10.214.${number}.1`,
    inside: `10.214.${number}.2`,
    subnet: `10.215.${number}`,
  };
  return {
    ...cable,
    async connect(pid) {
      const ip = (...args: string[]) => execa("ip", args);
      await ip("link", "add", name, "type", "veth", "peer", "name", "up0", "netns", String(pid));
      await ip("address", "add", `${cable.outside}/30`, "dev", name);
      await ip("link", "set", name, "up");
      await ip("route", "add", `${cable.subnet}.0/24`, "via", cable.inside);
    },
  };
}
