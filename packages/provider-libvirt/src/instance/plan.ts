import { ProviderError, type CallContext, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import type { DataVolume, DomainPlan } from "../domain/domain-xml.ts";
import { chooseMachine } from "../domain/host-facts.ts";
import type { LibvirtHost } from "../host.ts";
import { domainName, macOf, namesOfId } from "../identity.ts";
import { findVolume, rootCapacity, type NewVolume } from "../storage/volumes.ts";
import { parseXml, textAt } from "../xml.ts";
import { checkDataVolumes } from "./data-volumes.ts";
import { fingerprintOf, libvirtArchitecture } from "./request.ts";

/** What is to be made, decided before anything is. */
export interface CreationPlan {
  readonly root: NewVolume;
  /** The domain, as soon as the paths of its volumes are known. */
  domain(paths: { readonly root: string; readonly cloudInit: string }): DomainPlan;
}

/**
 * Asks for all that a creation depends on.
 * @throws ProviderError `not_found` for a base volume or data volume that does not exist, `invalid_request` for a data
 * volume that is in use or another architecture, `invalid_config` for what the host cannot give.
 */
export async function planCreation(
  host: LibvirtHost,
  {
    request,
    id,
    createdAt,
  }: { readonly request: CreateInstanceRequest; readonly id: string; readonly createdAt: number },
  call: CallContext,
): Promise<CreationPlan> {
  const { config, connection } = host;
  const { spec, token, name, tags } = request;
  const machine = chooseMachine(await host.facts(call), config);
  const wantedArchitecture = libvirtArchitecture(spec.arch);
  if (wantedArchitecture !== "" && wantedArchitecture !== machine.architecture)
    throw new ProviderError(
      "invalid_request",
      `arch: ${JSON.stringify(spec.arch.slice(0, 80))} is not the libvirt host's, which is ${machine.architecture}`,
    );
  const base = await findVolume(
    connection,
    { pool: config.pool, name: spec.image || config.baseVolume },
    call,
  );
  const dataVolumes: readonly DataVolume[] = await checkDataVolumes(
    host,
    { volumes: spec.volumes, id },
    call,
  );
  const nvram =
    machine.firmware === "" && machine.architecture === "x86_64"
      ? undefined
      : await nvramPath(host, id, call);
  return {
    root: {
      name: namesOfId(id).rootVolume,
      format: "qcow2",
      capacityBytes: rootCapacity(config.rootDiskGiB, base),
      backing: base,
    },
    domain: (paths) => ({
      id,
      domainName: domainName(name, id),
      title: `${request.podNamespace}/${request.podName}`.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?"),
      metadata: { token, name, fingerprint: fingerprintOf(request), createdAt, tags },
      machine,
      vcpus: spec.vcpus || config.vcpus,
      cpuset: config.cpuset,
      memoryMiB: spec.memoryMiB || config.memoryMiB,
      ...(config.directBoot === undefined ? {} : { directBoot: config.directBoot }),
      pool: config.pool,
      network: config.network,
      mac: macOf(id),
      rootPath: paths.root,
      cloudInitPath: paths.cloudInit,
      ...(nvram === undefined ? {} : { nvramPath: nvram }),
      dataVolumes,
    }),
  };
}

/** In a pool that is a directory, beside the volumes. Other pools cannot hold such a file. */
async function nvramPath(
  { connection, config }: LibvirtHost,
  id: string,
  call: CallContext,
): Promise<string | undefined> {
  const pool = parseXml(
    await connection.ask("pool-dumpxml", ["--pool", config.pool], call),
    "a storage pool",
  );
  const directory = textAt(pool, "pool/target/path");
  const isDirectory = ["dir", "fs", "netfs"].includes(textAt(pool, "pool", "@type"));
  return isDirectory && directory.startsWith("/") ? `${directory}/${namesOfId(id).nvramVolume}` : undefined;
}
