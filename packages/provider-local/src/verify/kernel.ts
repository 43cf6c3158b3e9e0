import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "@peerpods/cloud-providers";
import { CommandError } from "../host/run.ts";
import type { CheckContext } from "./verify-host.ts";

interface Trial {
  readonly subject: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly message: string;
  readonly remedy: string;
}

const allNamespaces = ["--mount", "--net", "--uts", "--ipc", "--cgroup", "--pid", "--fork"];

/** What pod VMs need of the kernel, tried in namespaces that end at once. */
export async function verifyKernel({ local, call }: CheckContext): Promise<Finding[]> {
  const scratch = await mkdtemp(join(local.paths.instances, "..", "check-"));
  try {
    const tried = await Promise.all(
      trials(scratch).map(async (trial) => {
        const stderr = await failureOf(local.run("unshare", trial.args, { ...trial, signal: call.signal }));
        if (stderr === undefined) return [];
        const { subject, message, remedy } = trial;
        return [{ severity: "error" as const, subject, message: `${message}: ${stderr}`, remedy }];
      }),
    );
    return tried.flat();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function trials(scratch: string): Trial[] {
  return [
    {
      subject: "namespaces",
      args: [...allNamespaces, "true"],
      message: "a pod VM's namespaces cannot be made",
      remedy:
        "run on the machine itself, or in a container that may make namespaces (docker run --privileged)",
    },
    {
      subject: "overlay",
      args: [
        "--mount",
        "sh",
        "-ec",
        'cd "$0"; mkdir lower upper work root; mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work x root',
        scratch,
      ],
      message: "an overlay on the state directory cannot be mounted",
      remedy:
        "load the kernel module overlay; on a state directory that is an overlay itself (in a container), " +
        "put it on a volume, or set local-root-storage to memory",
    },
    {
      subject: "links",
      args: ["--net", "ip", "-batch", "-"],
      input: [
        "link add name b type bridge",
        "link add name v type veth peer name w",
        "link add name x type vxlan id 1 remote 192.0.2.1 dstport 4789 dev b",
        "",
      ].join("\n"),
      message: "bridge, veth or vxlan links cannot be made",
      remedy: "load the kernel modules bridge, veth and vxlan",
    },
    {
      subject: "traffic control",
      args: ["--net", "tc", "-batch", "-"],
      input: [
        "qdisc add dev lo ingress",
        "filter add dev lo parent ffff: protocol all u32 match u8 0 0 action mirred egress redirect dev lo",
        "",
      ].join("\n"),
      message: "the tunnel's traffic rules cannot be made",
      remedy: "load the kernel modules sch_ingress, cls_u32 and act_mirred",
    },
  ];
}

async function failureOf(command: Promise<string>): Promise<string | undefined> {
  try {
    await command;
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.stderr.trim();
  }
}
