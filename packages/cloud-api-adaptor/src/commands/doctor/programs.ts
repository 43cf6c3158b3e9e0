import { finding, type Check } from "./check.ts";

const needed = [
  { program: "sh", args: ["-c", "exit 0"], package: "dash", purpose: "start the programs below" },
  { program: "ip", args: ["-V"], package: "iproute2", purpose: "make the pods' tunnels" },
  { program: "tc", args: ["-V"], package: "iproute2", purpose: "lead a pod's traffic into its tunnel" },
  { program: "nft", args: ["-v"], package: "nftables", purpose: "keep tunnels out of connection tracking" },
] as const;
const MIN_NODE_MAJOR = 24;

export const programs: Check = {
  area: "programs",
  async run({ host, signal }) {
    const results = await Promise.all(
      needed.map(async (wanted) => ({
        ...wanted,
        result: await host.run(wanted.program, wanted.args, { signal }),
      })),
    );
    const missing = results
      .filter(({ result }) => !result.ok)
      .map(({ program, purpose, package: name, result }) =>
        finding("error", program, {
          message: result.missing
            ? `not found in PATH; it is needed to ${purpose}`
            : `it does not work: ${result.stderr.trim()}`,
          remedy: `apt-get install ${name} (or dnf install ${name})`,
        }),
      );
    const isSystemd = await host.exists("/run/systemd/system");
    const notify = isSystemd ? await host.run("systemd-notify", ["--version"], { signal }) : undefined;
    return [
      ...missing,
      ...(notify?.missing === true
        ? [
            finding("warning", "systemd-notify", {
              message: "not found; a unit of Type=notify would never count as started",
              remedy: "install it (package systemd), or give the unit another type",
            }),
          ]
        : []),
      ...nodeFindings(host.nodeVersion),
    ];
  },
};

function nodeFindings(version: string) {
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  if (major >= MIN_NODE_MAJOR) return [];
  return [
    finding("error", "node", {
      message: `this is Node ${version}; the programs need ${MIN_NODE_MAJOR} or later`,
      remedy: "install a current Node.js, e.g. from nodejs.org",
    }),
  ];
}
