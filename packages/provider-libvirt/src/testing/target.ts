import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadOptions, silentLogger, type Clock, type Provider } from "@peerpods/cloud-providers";
import type { ConformanceTarget } from "@peerpods/cloud-providers/conformance";
import { execa } from "execa";
import { describeDomain } from "../domain/describe.ts";
import { namesOfId } from "../identity.ts";
import { MAX_USER_DATA_BYTES } from "../instance/request.ts";
import { libvirtOptions } from "../options.ts";
import { newLibvirtProvider } from "../provider.ts";
import type { Run } from "../virsh/run.ts";
import type { AskVirsh } from "./virsh-shell.ts";

/** Where a {@link createTarget} connects to. */
export interface TargetSite {
  readonly uri: string;
  readonly pool: string;
  readonly network: string;
  readonly ask: AskVirsh;
  /** Values of options beside URI, pool and network, as environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: Run;
  readonly clock: Clock;
  /** Runs what the kit itself asks libvirt; default: just so. With a clock that has to stand still meanwhile. */
  readonly hold?: <T>(work: () => Promise<T>) => Promise<T>;
  /** The cloud-init image of an instance. */
  cloudInit(id: string): Promise<Buffer>;
}

/** Domain and volumes that exist before any test, and the parts of a target that both drivers share. */
export interface PreparedSite extends AsyncDisposable {
  readonly target: ConformanceTarget;
  connect(env?: Readonly<Record<string, string>>): Promise<Provider>;
  readonly stateDir: string;
}

/** A conformance target on one driver of a libvirtd. Makes a base volume and two data volumes. */
export async function createTarget(site: TargetSite): Promise<PreparedSite> {
  const { uri, pool, network, clock, ask, hold = (work) => work() } = site;
  const stateDir = await mkdtemp(join(tmpdir(), "pplv-state-"));
  const volumes = ["data-1.qcow2", "data-2.qcow2"];
  for (const name of ["podvm-base.qcow2", ...volumes])
    await ask("vol-create-as", pool, name, "64M", "--format", "qcow2");
  const connect = (env: Readonly<Record<string, string>> = {}) => {
    const all = { LIBVIRT_URI: uri, LIBVIRT_POOL: pool, LIBVIRT_NET: network, ...site.env, ...env };
    const loaded = loadOptions(libvirtOptions, { argv: [], env: all });
    if ("help" in loaded) throw new Error("no help was asked for");
    const context = { config: loaded.values, logger: silentLogger, stateDir, env: process.env };
    const { run } = site;
    return Promise.resolve(newLibvirtProvider(context, { clock, ...(run === undefined ? {} : { run }) }));
  };
  const target: ConformanceTarget = {
    name: "libvirt",
    abilities: ["inventory", "volumes"],
    connect: () => connect(),
    clock,
    census: () => hold(() => census(ask, { pool, stateDir })),
    userDataOf: (id) => hold(async () => await readUserData(await site.cloudInit(id), stateDir)),
    maxUserDataBytes: MAX_USER_DATA_BYTES,
    tagsOf: (id) =>
      hold(async () => ({ [id]: describeDomain(await ask("dumpxml", id)).metadata?.tags ?? {} })),
    vanish: (id) =>
      hold(async () => {
        await ask("destroy", id);
        await ask("undefine", id);
      }),
    volumes,
    badSpecs: {
      image: { image: "no-such-volume.qcow2" },
      type: { instanceType: "no-such-type" },
      gpu: { gpus: 1 },
      arch: { arch: "no-such-arch" },
      volume: { volumes: [{ diskId: "no-such-volume" }] },
    },
    badConnections: {
      "a pool that does not exist": () => connect({ LIBVIRT_POOL: "no-such-pool" }),
      "a network that does not exist": () => connect({ LIBVIRT_NET: "no-such-network" }),
      "a base volume that does not exist": () => connect({ LIBVIRT_VOL_NAME: "no-such-volume" }),
    },
    missing: { imageFile: "it cannot upload images" },
    notOffered: { secrets: "the provider has no secret options" },
    environment: {
      against: "libvirt's test driver; a libvirtd of the test's own",
      real: "`virsh`, domains and volumes; in the boots libvirtd, QEMU (emulated CPUs), DHCP, kernel and guest",
      stoodIn: "the machine, by the test driver, where a boot adds nothing; faults are answers of `virsh`",
    },
  };
  return {
    target,
    connect,
    stateDir,
    [Symbol.asyncDispose]: () => rm(stateDir, { recursive: true, force: true }),
  };
}

/** Domains, volumes as libvirt lists them, and files that the provider keeps on this machine. */
async function census(
  ask: AskVirsh,
  { pool, stateDir }: { readonly pool: string; readonly stateDir: string },
): Promise<readonly string[]> {
  const rowsOf = (list: string) => list.split("\n").map((row) => row.trim().split(/\s+/));
  const domains = rowsOf(await ask("list", "--all", "--uuid"));
  await ask("pool-refresh", pool);
  const volumes = rowsOf(await ask("vol-list", pool));
  return [
    ...domains.flatMap(([id = ""]) => (id === "" ? [] : [`domain ${id}`])),
    ...volumes.flatMap(([name = "", path]) => (path?.startsWith("/") === true ? [`volume ${name}`] : [])),
    ...(await readdir(stateDir)).map((name) => `file ${name}`),
  ];
}

async function readUserData(iso: Buffer, scratch: string): Promise<string> {
  const directory = join(scratch, "..", `pplv-iso-${process.pid}-${Date.now()}`);
  await mkdir(directory);
  try {
    await writeFile(join(directory, "seed.iso"), iso);
    const args = ["-R", "-x", "/user-data", "-i", join(directory, "seed.iso")];
    const { stdout } = await execa("isoinfo", args, { stripFinalNewline: false });
    return stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The cloud-init volume of an instance in a pool that is a directory of this machine. */
export async function cloudInitFile(poolDirectory: string, id: string): Promise<Buffer> {
  return await readFile(join(poolDirectory, namesOfId(id).cloudInitVolume));
}
