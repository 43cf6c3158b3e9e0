import {
  lookUntil,
  matchesTags,
  ProviderError,
  tagKeys,
  type CallContext,
  type DeleteInstanceRequest,
} from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import { findMachine, machineIdOf } from "./instances.ts";
import { isGone, isInUse } from "./errors.ts";
import { untilDone } from "./long-running.ts";
import { isOwnName, nameOf, partNames, resourceId, sameId } from "./names.ts";
import { partsByTag, type Part } from "./leftovers.ts";
import type { Parts } from "./parts.ts";
import type { Machine } from "./wire.ts";

/** How a removal is asked for. */
export interface RemovalOptions {
  /** A creation has just ended without an answer: listings may not know yet what it made. */
  readonly mayBeNew?: boolean;
}

/**
 * Deletes the machine, which takes its interfaces, addresses and root disk along, waits until ARM says that it is done, and
 * then removes what did not go. Without a machine, what could have been made with it is removed by its name.
 */
export async function removeInstance(
  parts: Parts,
  request: DeleteInstanceRequest,
  { mayBeNew = false, ...call }: CallContext & RemovalOptions,
): Promise<void> {
  const { config } = parts;
  const arm = await parts.connect(call);
  const id = machineIdOf(config, request);
  const machine = await findMachine(arm, id, call);
  if (machine !== undefined) {
    checkOwner(machine, request);
    await deleteMachine({ ...parts, arm }, id, call);
  }
  const token = machine?.tags?.[tagKeys.token] ?? request.token ?? "";
  const name = nameOf(id);
  const listed = machine !== undefined && !mayBeNew && token !== "";
  const left = listed
    ? await partsByTag(arm, { config, token }, call)
    : isOwnName(name)
      ? partsByName(config, name)
      : [];
  await removeParts({ ...parts, arm }, { id, left }, call);
}

/**
 * Removes what a creation has made beside the machine of another request that has the same token.
 * @param machine what it has stays.
 */
export async function removeDetached(
  parts: Parts,
  { id, machine }: { readonly id: string; readonly machine: Machine },
  call: CallContext,
): Promise<void> {
  const arm = await parts.connect(call);
  const [first, second] = partNames(nameOf(id)).interfaces;
  const used = machine.properties?.networkProfile?.networkInterfaces ?? [];
  const unused = [first, second].flatMap((name, index) => {
    const card = resourceId(parts.config, "interface", name);
    return used.some((one) => sameId(one.id ?? "", card)) ? [] : [index];
  });
  const left = partsByName(parts.config, nameOf(id)).filter(
    ({ index }) => index !== undefined && unused.includes(index),
  );
  await removeParts({ ...parts, arm }, { id, left }, call);
}

/** @throws ProviderError `conflict` for a machine that was made for somebody else, or by other means. */
function checkOwner({ id, tags: actual = {} }: Machine, { tags, token = "" }: DeleteInstanceRequest): void {
  const ownToken = token === "" || (actual[tagKeys.token] ?? token) === token;
  if (ownToken && matchesTags(actual, tags)) return;
  throw new ProviderError(
    "conflict",
    `machine ${nameOf(id ?? "")} carries the ${ownToken ? "tags" : "token"} of another owner and is left alone`,
  );
}

type Connected = Pick<Parts, "config" | "clock" | "pollMs"> & { readonly arm: Arm };

async function deleteMachine(parts: Connected, id: string, call: CallContext): Promise<void> {
  try {
    const answer = await parts.arm.call("DeleteMachine", { path: id }, call);
    await untilDone(parts, { what: "DeleteMachine", answer }, call);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function partsByName(config: Parts["config"], machine: string): readonly Part[] {
  const names = partNames(machine);
  const part = (kind: Part["kind"], name: string, index?: number): Part => ({
    kind,
    id: resourceId(config, kind, name),
    ...(index === undefined ? {} : { index }),
  });
  return [
    ...names.interfaces.map((name, index) => part("interface", name, index)),
    part("disk", names.rootDisk),
    ...names.addresses.map((name, index) => part("address", name, index)),
  ];
}

const removals = { interface: "DeleteInterface", disk: "DeleteDisk", address: "DeleteAddress" } as const;

/** Interfaces and disk at once, then the addresses that only then are free. A part that is still in use is tried again. */
async function removeParts(
  parts: Connected,
  { id, left }: { readonly id: string; readonly left: readonly Part[] },
  call: CallContext,
): Promise<void> {
  const stages = [
    left.filter(({ kind }) => kind !== "address"),
    left.filter(({ kind }) => kind === "address"),
  ];
  for (const stage of stages) {
    const ended = await Promise.allSettled(
      stage.map((part) => removePart(parts, { part, machine: id }, call)),
    );
    const failed = ended.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

async function removePart(
  parts: Connected,
  { part, machine }: { readonly part: Part; readonly machine: string },
  call: CallContext,
): Promise<void> {
  const look = async () => {
    try {
      const answer = await parts.arm.call(removals[part.kind], { path: part.id }, call);
      await untilDone(parts, { what: removals[part.kind], answer }, call);
      return true;
    } catch (error) {
      if (isGone(error)) return true;
      if (!isInUse(error)) throw error;
      // A request for the machine that was on its way when it was given up has arrived after all.
      if (part.kind === "interface" && (await findMachine(parts.arm, machine, call)) !== undefined)
        await deleteMachine(parts, machine, call);
      return undefined;
    }
  };
  const { clock, pollMs } = parts;
  await lookUntil(`${part.kind} ${nameOf(part.id)} does not go`, look, {
    clock,
    pollMs,
    signal: call.signal,
  });
}
