import {
  ProviderError,
  UNDO_TIMEOUT_MS,
  limitedCall,
  type CallContext,
  type CreateInstanceRequest,
  type Instance,
} from "@peerpods/cloud-providers";
import { domainXml } from "../domain/domain-xml.ts";
import type { LibvirtHost } from "../host.ts";
import { namesOfId } from "../identity.ts";
import { writeCloudInitIso } from "../storage/cloud-init-iso.ts";
import { createVolume } from "../storage/volumes.ts";
import { isProblem } from "../virsh/errors.ts";
import { waitForAddresses } from "./addresses.ts";
import { findDomain, isOwn } from "./look.ts";
import { planCreation, type CreationPlan } from "./plan.ts";
import { removeInstance } from "./remove.ts";
import { fingerprintOf } from "./request.ts";

interface Job {
  readonly request: CreateInstanceRequest;
  readonly id: string;
}

/** See `Provider.createInstance`. The caller holds the lock of the id and has checked the request. */
export async function createInstance(host: LibvirtHost, job: Job, call: CallContext): Promise<Instance> {
  if (await isStarted(host, job, call)) return await takeUp(host, job, call);
  const plan = await planCreation(host, { ...job, createdAt: host.clock.now() }, call);
  try {
    return await build(host, { ...job, plan }, call);
  } catch (error) {
    await undo(host, { id: job.id, reason: error }, call);
    throw error;
  }
}

/**
 * Whether an earlier call with this token has started the domain.
 * @throws ProviderError `conflict` when that was for another request, or the domain has ended.
 */
async function isStarted(host: LibvirtHost, { request, id }: Job, call: CallContext): Promise<boolean> {
  const domain = await findDomain(host, id, call);
  if (domain === undefined) return false;
  if (!isOwn(domain) || domain.metadata.fingerprint !== fingerprintOf(request))
    throw new ProviderError("conflict", `token ${request.token} was used for another request`);
  // A domain is defined only after it was started, so one that does not run has run.
  if (!domain.running)
    throw new ProviderError(
      "conflict",
      `instance ${id} of token ${request.token} has ended; delete it and use another attempt's token`,
    );
  return true;
}

/** Takes up what an earlier call has begun or done. It is not undone here when that fails: it is not of this call. */
async function takeUp(host: LibvirtHost, { request, id }: Job, call: CallContext): Promise<Instance> {
  try {
    const addresses = await waitForAddresses(host, id, call);
    await keep(host, { id }, call);
    return { id, name: request.name, addresses };
  } catch (error) {
    call.signal.throwIfAborted();
    const { code, message, retryable } = ProviderError.from(error, "cannot take up an instance");
    throw new ProviderError(code, message, { cause: error, retryable, left: [id] });
  }
}

async function build(
  host: LibvirtHost,
  { request, id, plan }: Job & { readonly plan: CreationPlan },
  call: CallContext,
): Promise<Instance> {
  const { connection, config } = host;
  const { pool } = config;
  const root = await createVolume(connection, { pool, volume: plan.root }, call);
  const cloudInit = await createCloudInitVolume(host, { request, id }, call);
  const xml = domainXml(plan.domain({ root: root.path, cloudInit: cloudInit.path }));
  await start(host, { request, id, xml }, call);
  await keep(host, { id, xml }, call);
  const addresses = await waitForAddresses(host, id, call);
  return { id, name: request.name, addresses };
}

async function createCloudInitVolume(
  { connection, config, stateDir }: LibvirtHost,
  { request, id }: Job,
  call: CallContext,
): Promise<{ readonly path: string }> {
  const { pool } = config;
  const name = namesOfId(id).cloudInitVolume;
  const seed = { hostName: request.name, userData: request.userData };
  await using iso = await writeCloudInitIso(seed, { ...connection, directory: stateDir }, call);
  const volume = { name, format: "raw", capacityBytes: BigInt(iso.bytes) } as const;
  const made = await createVolume(connection, { pool, volume }, call);
  await connection.act("vol-upload", ["--pool", pool, "--vol", name, "--file", iso.path], call);
  return made;
}

/**
 * Starts the domain before libvirt is told to keep it, so that a kept domain that does not run has surely ended.
 * One that runs already was started by this very call, before the answer was lost.
 */
async function start(
  host: LibvirtHost,
  { xml, ...job }: Job & { readonly xml: string },
  call: CallContext,
): Promise<void> {
  try {
    await host.connection.act("create", [], { ...call, document: xml });
  } catch (error) {
    if (!isProblem(error, "exists")) throw error;
    if (!(await isStarted(host, job, call))) throw error;
  }
}

/** Makes libvirt keep the domain after its end: without it, what the guest has ended would be forgotten. */
async function keep(
  { connection }: LibvirtHost,
  { id, xml }: { readonly id: string; readonly xml?: string },
  call: CallContext,
): Promise<void> {
  const document =
    xml ?? (await connection.ask("dumpxml", ["--domain", id, "--inactive", "--security-info"], call));
  await connection.act("define", [], { ...call, document });
}

/** In its own time, since the caller's is often over. Leaves nothing, or throws an error that says what it had to leave. */
async function undo(
  host: LibvirtHost,
  { id, reason }: { readonly id: string; readonly reason: unknown },
  { logger }: CallContext,
): Promise<void> {
  using call = limitedCall(host.clock, { timeoutMs: UNDO_TIMEOUT_MS, logger });
  try {
    await removeInstance(host, { id, domainExists: true }, call);
  } catch (error) {
    const { rootVolume, cloudInitVolume } = namesOfId(id);
    const { code, message, retryable } = ProviderError.from(reason, "cannot create an instance");
    throw new ProviderError(code, `${message}; and it could not be undone`, {
      cause: new AggregateError([reason, error], "making failed, then undoing"),
      retryable,
      left: [id, rootVolume, cloudInitVolume],
    });
  }
}
