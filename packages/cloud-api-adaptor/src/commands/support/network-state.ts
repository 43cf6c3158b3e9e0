import type { Sandbox } from "../../gen/peerpods/control/v1/control_pb.ts";
import type { DoctorHost } from "../doctor/host.ts";
import type { Gathering } from "./gather.ts";

const onNode: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ["links", "ip", "-d", "-s", "link", "show"],
  ["addresses", "ip", "address", "show"],
  ["routes", "ip", "route", "show", "table", "all"],
  ["rules", "ip", "rule", "show"],
  ["namespaces", "ip", "netns", "list-id"],
  ["nftables", "nft", "list", "table", "ip", "peerpods"],
];
const inPod: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ["links", "ip", "-d", "-s", "link", "show"],
  ["addresses", "ip", "address", "show"],
  ["routes", "ip", "route", "show"],
  ["qdiscs", "tc", "-s", "qdisc", "show"],
];

/** What the kernel has of the tunnels: on the node, and in the namespace of each pod. */
export async function gatherNetwork(
  gathering: Gathering,
  {
    host,
    pods,
    signal,
  }: {
    readonly host: DoctorHost;
    readonly pods: readonly { readonly sandbox: Pick<Sandbox, "sandboxId">; readonly netnsPath: string }[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const output = async (program: string, args: readonly string[]) => {
    const { ok, stdout, stderr } = await host.run(program, args, { signal });
    return ok ? stdout : `${program} ${args.join(" ")} failed: ${stderr}\n`;
  };
  for (const [name, program, ...args] of onNode)
    await gathering.add(`network/${name}.txt`, () => output(program, args));
  for (const { sandbox, netnsPath } of pods)
    for (const [name, program, ...args] of inPod)
      await gathering.add(`network/pods/${sandbox.sandboxId.slice(0, 12)}/${name}.txt`, () =>
        output("nsenter", [`--net=${netnsPath}`, program, ...args]),
      );
}
