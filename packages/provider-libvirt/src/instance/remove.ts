import type { CallContext } from "@peerpods/cloud-providers";
import type { LibvirtHost } from "../host.ts";
import { volumePrefix } from "../identity.ts";
import { deleteVolume, listVolumes } from "../storage/volumes.ts";
import { unlessGone } from "../virsh/connection.ts";
import { isProblem } from "../virsh/errors.ts";

/** Ends and removes the domain, if it is there, and every volume that was made for it. Data volumes stay. */
export async function removeInstance(
  host: LibvirtHost,
  { id, domainExists }: { readonly id: string; readonly domainExists: boolean },
  call: CallContext,
): Promise<void> {
  const { connection, config } = host;
  if (domainExists) {
    await unlessStopped(unlessGone(connection.act("destroy", ["--domain", id], call)));
    await undefine(host, id, call);
  }
  // Listed, not guessed: the UEFI variables of a domain that was never kept are in the pool without libvirt's knowledge.
  for (const name of await listVolumes(connection, config.pool, call))
    if (name.startsWith(volumePrefix(id))) await deleteVolume(connection, { pool: config.pool, name }, call);
}

/** With its UEFI variables, where the driver knows of such. */
async function undefine({ connection }: LibvirtHost, id: string, call: CallContext): Promise<void> {
  try {
    await unlessGone(connection.act("undefine", ["--domain", id, "--nvram"], call));
  } catch (error) {
    if (!isProblem(error, "unsupported_flag")) throw error;
    await unlessGone(connection.act("undefine", ["--domain", id], call));
  }
}

async function unlessStopped(destroyed: Promise<unknown>): Promise<void> {
  try {
    await destroyed;
  } catch (error) {
    if (!isProblem(error, "not_running")) throw error;
  }
}
