import { mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { ProviderError } from "@peerpods/cloud-providers";
import { vmAddresses, type Subnet } from "./subnet.ts";

/**
 * Takes the lowest free address for `owner`, or gives back the one that it has already.
 *
 * A lease is a symbolic link named after the address that points to the owner's id: made in one step, so that two
 * processes can never get the same address and no half-written lease exists.
 * @throws ProviderError `quota_exceeded` when the subnet is full.
 */
export async function acquireLease(directory: string, subnet: Subnet, owner: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const leases = await listLeases(directory);
  const own = leases.find((lease) => lease.owner === owner);
  if (own !== undefined) return own.address;
  const taken = new Set(leases.map((lease) => lease.address));
  for (const address of vmAddresses(subnet)) {
    if (!taken.has(address) && (await tryLease(join(directory, address), owner))) return address;
  }
  throw new ProviderError(
    "quota_exceeded",
    `all ${taken.size} addresses for pod VMs are taken; delete instances or give a larger local-subnet`,
  );
}

/** Gives back whatever `owner` holds. Can be repeated. */
export async function releaseLease(directory: string, owner: string): Promise<void> {
  for (const lease of await listLeases(directory))
    if (lease.owner === owner) await rm(join(directory, lease.address), { force: true });
}

export interface Lease {
  readonly address: string;
  readonly owner: string;
}

/** All leases, of whomever. */
export async function listLeases(directory: string): Promise<Lease[]> {
  const names = await readdir(directory).catch(noneIf("ENOENT"));
  const leases = await Promise.all(
    (names ?? []).map(async (address) => ({
      address,
      owner: await readlink(join(directory, address)).catch(noneIf("ENOENT")),
    })),
  );
  return leases.flatMap(({ address, owner }) => (owner === undefined ? [] : [{ address, owner }]));
}

async function tryLease(path: string, owner: string): Promise<boolean> {
  return (await symlink(owner, path).then(() => true, noneIf("EEXIST"))) ?? false;
}

function noneIf(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code === code) return undefined;
    throw error;
  };
}
