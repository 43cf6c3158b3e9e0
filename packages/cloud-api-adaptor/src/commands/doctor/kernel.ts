import { finding, type Check } from "./check.ts";

interface Trial {
  readonly subject: string;
  readonly command: readonly [string, ...string[]];
  readonly input: string;
  readonly modules: string;
}

/** What a tunnel makes, made in a network namespace that ends with the program. */
const trials: readonly Trial[] = [
  {
    subject: "vxlan and veth links",
    command: ["ip", "-batch", "-"],
    input: [
      "link add peerpods0 type veth peer name peerpods1",
      "link add peerpods2 type vxlan id 1 remote 192.0.2.1 dstport 4789 dev peerpods0",
      "",
    ].join("\n"),
    modules: "vxlan veth",
  },
  {
    subject: "traffic redirection",
    command: ["tc", "-batch", "-"],
    input: [
      "qdisc add dev lo ingress",
      "filter add dev lo parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev lo",
      "",
    ].join("\n"),
    modules: "sch_ingress cls_u32 act_mirred",
  },
  {
    subject: "nftables",
    command: ["nft", "-f", "-"],
    input: [
      "add table ip peerpods",
      "add chain ip peerpods output { type filter hook output priority raw ; policy accept ; }",
      "add rule ip peerpods output udp dport 4789 notrack",
      "",
    ].join("\n"),
    modules: "nf_tables nft_ct nf_conntrack",
  },
];

/** Features of the kernel, by trying them. */
export const kernel: Check = {
  area: "kernel",
  async run({ host, signal }) {
    if (host.uid !== 0) return [notTried("only root may make a network namespace", "run this as root")];
    const probe = await host.run("unshare", ["--net", "true"], { signal });
    if (probe.missing) return [notTried("unshare is not installed", "apt-get install util-linux")];
    if (!probe.ok) {
      return [
        finding("error", "network namespaces", {
          message: `none can be made: ${probe.stderr.trim()}`,
          remedy: "run on the node itself, or in a privileged container",
        }),
      ];
    }
    const tried = await Promise.all(
      trials.map(async ({ subject, command: [program, ...args], input, modules }) => {
        const { ok, missing, stderr } = await host.run("unshare", ["--net", program, ...args], {
          signal,
          input,
        });
        // A program that is not there is the business of another check.
        if (ok || missing || /No such file|not found/.test(stderr)) return [];
        return [
          finding("error", subject, {
            message: `the kernel (${host.kernelRelease}) refuses them: ${stderr.trim()}`,
            remedy: `load the modules: modprobe -a ${modules}`,
          }),
        ];
      }),
    );
    return tried.flat();
  },
};

function notTried(why: string, remedy: string) {
  return finding("warning", "kernel features", { message: `not tried: ${why}`, remedy });
}
