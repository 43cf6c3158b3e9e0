import { ProviderError, isProviderError, type CallContext, type Finding } from "@peerpods/cloud-providers";
import { chooseMachine, type HostFacts } from "../domain/host-facts.ts";
import type { LibvirtHost } from "../host.ts";
import { findIsoProgram, noIsoProgram } from "../storage/cloud-init-iso.ts";
import { findVolume, type Volume } from "../storage/volumes.ts";
import { parseXml, textAt } from "../xml.ts";
import { verifyMachine } from "./verify-machine.ts";

/** Asks the host for all that a creation will need. Nothing is made. */
export async function verifyConfig(host: LibvirtHost, call: CallContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if ((await findIsoProgram(host.connection, call)) === undefined)
    findings.push(error("cloud-init", noIsoProgram, "apt-get install genisoimage"));
  const facts = await connect(host, findings, call);
  // Without a connection every further answer would be the same.
  if (facts === undefined) return findings;
  findings.push(...(await verifyMachine(host, facts, call)));
  findings.push(...(await verifyPool(host, call)));
  findings.push(...(await verifyNetwork(host, call)));
  return findings;
}

async function connect(
  host: LibvirtHost,
  findings: Finding[],
  call: CallContext,
): Promise<HostFacts | undefined> {
  try {
    const facts = await host.facts(call);
    chooseMachine(facts, host.config);
    return facts;
  } catch (thrown) {
    call.signal.throwIfAborted();
    const { code, message } = ProviderError.from(thrown);
    const [subject, remedy] =
      code === "unauthorized"
        ? [
            "uri",
            "give this user access: an SSH key for qemu+ssh, certificates for qemu+tls, the group libvirt for a local socket",
          ]
        : code === "invalid_config"
          ? [
              "uri or launch-security",
              "correct the option that the message names, or install what is missing",
            ]
          : ["uri", "check that libvirtd runs there and can be reached: virsh -c URI version"];
    findings.push(error(subject, message, remedy));
    return undefined;
  }
}

async function verifyPool(host: LibvirtHost, call: CallContext): Promise<readonly Finding[]> {
  const { connection, config } = host;
  const { pool, baseVolume } = config;
  const info = await tryAsk(() => connection.ask("pool-info", ["--pool", pool], call), call);
  if (isProviderError(info))
    return [
      error(
        "pool-name",
        info.message,
        `virsh pool-define-as ${pool} dir --target DIRECTORY, or another pool-name`,
      ),
    ];
  if (!/^State:\s+running$/m.test(info))
    return [
      error(
        "pool-name",
        `the storage pool ${pool} is not active`,
        `virsh pool-start ${pool}; virsh pool-autostart ${pool}`,
      ),
    ];
  const base = await tryAsk(() => findVolume(connection, { pool, name: baseVolume }, call), call);
  if (isProviderError(base))
    return [
      error(
        "vol-name",
        base.message,
        `upload the pod VM image: virsh vol-create-as and vol-upload, as ${baseVolume}`,
      ),
    ];
  return verifySize(host, base);
}

function verifySize({ config }: LibvirtHost, { capacityBytes, name }: Volume): readonly Finding[] {
  if (config.rootDiskGiB << 30n >= capacityBytes) return [];
  return [
    {
      severity: "info",
      subject: "root-disk-size",
      message: `${config.rootDiskGiB} GiB are less than the base volume ${name} has; its size is taken`,
      remedy: `set root-disk-size to ${(capacityBytes >> 30n) + 1n} or more`,
    },
  ];
}

async function verifyNetwork(
  { connection, config }: LibvirtHost,
  call: CallContext,
): Promise<readonly Finding[]> {
  const { network, addressSource } = config;
  const info = await tryAsk(() => connection.ask("net-info", ["--network", network], call), call);
  if (isProviderError(info))
    return [
      error("network-name", info.message, `virsh net-define FILE, or another network-name than ${network}`),
    ];
  if (!/^Active:\s+yes$/m.test(info))
    return [
      error(
        "network-name",
        `the network ${network} is not active`,
        `virsh net-start ${network}; virsh net-autostart ${network}`,
      ),
    ];
  if (addressSource !== "lease") return [];
  const xml = parseXml(await connection.ask("net-dumpxml", ["--network", network], call), "a network");
  if (textAt(xml, "network/ip/dhcp/range", "@start") !== "") return [];
  return [
    error(
      "address-source",
      `libvirt gives no addresses in the network ${network}, so there will be no lease to read`,
      "give the network a dhcp range, or set address-source to agent or arp",
    ),
  ];
}

/** What was asked, or the error of the contract that says why not. */
async function tryAsk<T>(ask: () => Promise<T>, call: CallContext): Promise<T | ProviderError> {
  try {
    return await ask();
  } catch (thrown) {
    call.signal.throwIfAborted();
    return ProviderError.from(thrown);
  }
}

function error(subject: string, message: string, remedy: string): Finding {
  return { severity: "error", subject, message, remedy };
}
