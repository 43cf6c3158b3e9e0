import {
  ProviderError,
  checkInstanceReference,
  type CallContext,
  type DeleteInstanceRequest,
  type InstanceReference,
  type Tags,
} from "@peerpods/cloud-providers";
import { instancePaths, type LocalHost } from "../local-host.ts";
import { instanceIdForm, namesOfId, namesOfToken, type InstanceNames } from "./identity.ts";
import { lockInstance } from "./locks.ts";
import { readRecord, writeRecord, type InstanceRecord } from "./record.ts";
import { removeTraces } from "./remove.ts";

/** See `Provider.deleteInstance`. */
export async function deleteInstance(
  local: LocalHost,
  request: DeleteInstanceRequest,
  call: CallContext,
): Promise<void> {
  const names = namesOfReference(local.key, request);
  await using _ = await lockInstance(local, names.id, call.signal);
  const { directory } = instancePaths(local.paths, names.id);
  const record = await readableRecord(directory, call);
  if (record !== undefined) {
    protect(record, request.tags);
    await writeRecord(directory, { ...record, phase: "deleting" });
  }
  await removeTraces(local, names, call.signal);
}

/** All names follow from the id, so a damaged record need not keep an instance alive for ever. */
async function readableRecord(directory: string, call: CallContext): Promise<InstanceRecord | undefined> {
  try {
    return await readRecord(directory);
  } catch (err) {
    call.logger.warn({ err }, "deleting an instance whose record is damaged");
    return undefined;
  }
}

/**
 * The names of the instance that a request with an id, a token or both is about.
 * @throws ProviderError `invalid_request` when there is neither, or when they mean different instances.
 */
export function namesOfReference(key: string, reference: InstanceReference): InstanceNames {
  checkInstanceReference(reference, instanceIdForm);
  const { instanceId = "", token = "" } = reference;
  if (token === "") return namesOfId(key, instanceId);
  const names = namesOfToken(key, token);
  if (instanceId === "" || names.id === instanceId) return names;
  throw new ProviderError("invalid_request", `instance ${instanceId} was not made with token ${token}`);
}

/** Whoever made the instance gave it these tags; another value means that it is somebody else's. */
function protect(record: InstanceRecord, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    const own = record.tags[key];
    if (own !== undefined && own !== value)
      throw new ProviderError(
        "conflict",
        `instance ${record.id} carries ${key}=${own}, not ${value}; not deleted`,
      );
  }
}
