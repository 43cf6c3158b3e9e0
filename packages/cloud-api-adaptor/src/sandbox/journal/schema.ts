import { parseApfConfig, serializeApfConfig } from "@peerpods/podvm-contract";
import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import * as z from "zod";
import type { SandboxRecord } from "../record.ts";

/** Version of the journal's format. A daemon reads every version up to its own; see `docs/compatibility.md`. */
export const JOURNAL_VERSION = 1;

const text = z.string().max(4096);
const ms = z.number().nonnegative();

const specSchema = z.object({
  instanceType: text,
  vcpus: z.number(),
  memoryMiB: z.number(),
  gpus: z.number(),
  arch: text,
  image: text,
  multiNic: z.boolean(),
  volumes: z.array(z.object({ diskId: text })).max(1024),
});

const attemptSchema = z.object({
  number: z.int().positive(),
  token: text.min(1),
  placement: z.object({ instanceType: text, zone: text }).exactOptional(),
  instanceId: text.min(1).exactOptional(),
});

const tunnelSchema = z.object({
  netnsPath: text,
  interface: text,
  mtu: z.int().positive(),
  remote: text,
  vxlanId: z.int().positive(),
  vxlanPort: z.int().positive(),
});

/** The network is kept in the form it has in `apf.json`: that format is versioned and checked already. */
const networkSchema = z.unknown().transform((value, context): SandboxRecord["network"] => {
  try {
    const network = parseApfConfig(JSON.stringify({ "pod-network": value })).podNetwork;
    const { vxlanId, vxlanPort } = network ?? {};
    if (network !== undefined && vxlanId !== undefined && vxlanPort !== undefined) {
      return { ...network, vxlanId, vxlanPort };
    }
    context.addIssue("it has no tunnel");
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : "unreadable");
  }
  return z.NEVER;
});

const recordSchema = z.object({
  sandboxId: text.min(1),
  clusterId: text,
  nodeName: text,
  podName: text,
  podNamespace: text,
  netnsPath: text,
  agentSocketPath: text,
  instanceName: text,
  spec: specSchema,
  network: networkSchema,
  initdata: z.string().exactOptional(),
  podUid: text.exactOptional(),
  phase: z.enum(["created", "starting", "running", "stopping", "failed"]),
  lastAttempt: z.int().nonnegative(),
  attempts: z.array(attemptSchema).max(1024),
  instance: z.object({ id: text.min(1), name: text, addresses: z.array(text).max(64) }).exactOptional(),
  tunnel: tunnelSchema.exactOptional(),
  reason: text.exactOptional(),
  failureCode: text.exactOptional(),
  times: z.object({
    createdMs: ms,
    startingMs: ms.exactOptional(),
    instanceMs: ms.exactOptional(),
    tunnelMs: ms.exactOptional(),
    connectedMs: ms.exactOptional(),
    runningMs: ms.exactOptional(),
    endingMs: ms.exactOptional(),
  }),
}) satisfies z.ZodType<SandboxRecord>;

const entrySchema = z.object({ version: z.literal(JOURNAL_VERSION), sandbox: recordSchema });

/**
 * One journal entry as text.
 * @throws Error when it could not be read again, before it replaces one that can.
 */
export function serializeEntry(record: SandboxRecord): string {
  const { network, ...rest } = record;
  const entry = `${JSON.stringify({ version: JOURNAL_VERSION, sandbox: { ...rest, network: toFile(network) } })}\n`;
  parseEntry(entry);
  return entry;
}

/** An entry of a later format. It is not damaged, so it must not be put aside. */
export class NewerEntryError extends Error {
  override readonly name = "NewerEntryError";
}

/**
 * Reads one journal entry.
 * @throws NewerEntryError; Error with one line that says what is wrong. Neither quotes the entry.
 */
export function parseEntry(entry: string): SandboxRecord {
  let document: unknown;
  try {
    document = JSON.parse(entry);
  } catch {
    // oxlint-disable-next-line preserve-caught-error -- the engine's message quotes the entry
    throw new Error("it is not JSON; it was cut short or overwritten");
  }
  const version = z.object({ version: z.number() }).safeParse(document);
  if (version.success && version.data.version > JOURNAL_VERSION) {
    throw new NewerEntryError(
      `it has version ${version.data.version}; this daemon reads up to ${JOURNAL_VERSION}`,
    );
  }
  const result = entrySchema.safeParse(document);
  if (result.success) return result.data.sandbox;
  throw new Error(result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

function toFile(network: PodNetworkConfig): unknown {
  const file = JSON.parse(
    serializeApfConfig({ podNetwork: network, podName: "", podNamespace: "" }),
  ) as Record<string, unknown>;
  return file["pod-network"];
}
