import {
  checkCreateRequest,
  checkInstanceReference,
  createKeyedLock,
  encodeUserData,
  isProviderError,
  lookUntil,
  matchesTags,
  ProviderError,
  tagKeys,
  UNDO_TIMEOUT_MS,
  type CallContext,
  type Clock,
  type CreateInstanceRequest,
  type Finding,
  type Instance,
  type InstanceRecord,
  type Inventory,
  type Provider,
} from "@peerpods/cloud-providers";
import type { AcmeInstance, Client, ClientCall } from "./client.ts";
import type { Config } from "./options.ts";

const MAX_USER_DATA_BYTES = 16_384;
/** Ids become parts of addresses. */
const ID_FORM = /^vm-[0-9a-f]{8,32}$/;

/** What a connection is made of; tests bring their own. */
export interface ProviderParts {
  readonly client: Client;
  readonly config: Config;
  readonly clock: Clock;
  /** Between two looks at an instance that starts. */
  readonly pollMs: number;
}

export function createProvider(parts: ProviderParts): Provider & Inventory {
  const { client } = parts;
  const locks = createKeyedLock();
  return {
    async createInstance(request, call) {
      call.signal.throwIfAborted();
      checkCreateRequest(request, { abilities: ["inventory"] });
      const userData = encodeUserData(request.userData, {
        carrier: "Acme user data",
        encoding: "base64",
        maxBytes: MAX_USER_DATA_BYTES,
      });
      // Two creations with one token must not undo each other.
      using _held = await locks.acquire(request.token, call.signal);
      let begun = false;
      const onTry = (): void => void (begun = true);
      try {
        return await create(parts, { request, userData }, { ...call, onTry });
      } catch (thrown) {
        const error = ProviderError.from(thrown, `cannot create instance ${request.name}`);
        // The instance of this token is another request's: not ours to undo.
        if (!begun || error.code === "conflict") throw error;
        const left = await undo(client, request.token, call);
        if (left.length === 0) throw error;
        throw new ProviderError(error.code, `${error.message}; it could not be undone`, {
          cause: error,
          left,
        });
      }
    },

    async deleteInstance({ instanceId = "", token = "", tags }, call) {
      call.signal.throwIfAborted();
      checkInstanceReference({ instanceId, token }, ID_FORM);
      const found = await find(client, { instanceId, token }, call);
      for (const { id, tags: actual } of found)
        if (!matchesTags(actual, tags))
          throw new ProviderError(
            "conflict",
            `instance ${id} carries another owner's tags and is left alone`,
          );
      for (const { id } of found) await deleteUnlessGone(client, id, call);
    },

    async configVerifier(call) {
      return await verify(parts, call);
    },

    async listInstances(tags, call) {
      return (await client.list(tags, call)).map(toRecord);
    },

    async getInstance({ instanceId = "", token = "" }, call) {
      checkInstanceReference({ instanceId, token }, ID_FORM);
      const [instance] = await find(client, { instanceId, token }, call);
      return instance === undefined ? undefined : toRecord(instance);
    },

    async teardown() {
      // Every call has a connection of its own.
    },
  };
}

async function create(
  { client, config, clock, pollMs }: ProviderParts,
  { request, userData }: { readonly request: CreateInstanceRequest; readonly userData: string },
  call: ClientCall,
): Promise<Instance> {
  const { token, name, spec, tags } = request;
  const { id } = await client.create(
    {
      token,
      name,
      userData,
      type: spec.instanceType === "" ? config.instanceType : spec.instanceType,
      image: spec.image === "" ? config.image : spec.image,
      tags: { ...tags, [tagKeys.token]: token },
    },
    call,
  );
  const look = async (): Promise<AcmeInstance | undefined> => {
    const instance = await client.get(id, call);
    return instance.state === "running" ? instance : undefined;
  };
  const { addresses } = await lookUntil(`instance ${id} starts`, look, {
    clock,
    pollMs,
    signal: call.signal,
  });
  return { id, name, addresses };
}

/** @returns the ids of what is still there */
async function undo(client: Client, token: string, { logger }: CallContext): Promise<readonly string[]> {
  // The caller's time is over, or may be; this has its own.
  const call = { signal: AbortSignal.timeout(UNDO_TIMEOUT_MS), logger };
  let left: readonly string[] = [`whatever carries the tag ${tagKeys.token}=${token}`];
  try {
    const found = await find(client, { instanceId: "", token }, call);
    left = found.map(({ id }) => id);
    for (const { id } of found) await deleteUnlessGone(client, id, call);
    return [];
  } catch (error) {
    logger.warn({ err: error, token }, "an instance could not be undone");
    return left;
  }
}

async function find(
  client: Client,
  { instanceId, token }: { readonly instanceId: string; readonly token: string },
  call: CallContext,
): Promise<readonly AcmeInstance[]> {
  if (instanceId === "") return await client.list({ [tagKeys.token]: token }, call);
  try {
    return [await client.get(instanceId, call)];
  } catch (error) {
    if (isProviderError(error) && error.code === "not_found") return [];
    throw error;
  }
}

async function deleteUnlessGone(client: Client, id: string, call: CallContext): Promise<void> {
  try {
    await client.delete(id, call);
  } catch (error) {
    if (!isProviderError(error) || error.code !== "not_found") throw error;
  }
}

async function verify({ client, config }: ProviderParts, call: CallContext): Promise<readonly Finding[]> {
  try {
    await client.image(config.image, call);
    return [];
  } catch (error) {
    if (!isProviderError(error)) throw error;
    const wrong = { severity: "error", message: error.message } as const;
    if (error.code === "unauthorized")
      return [{ ...wrong, subject: "acme-api-key", remedy: "give a key that may create instances" }];
    if (error.code === "not_found")
      return [{ ...wrong, subject: "acme-image", remedy: "name an image that exists" }];
    throw error;
  }
}

function toRecord({ id, name, addresses, state, tags }: AcmeInstance): InstanceRecord {
  return { id, name, addresses, state: state === "running" ? "running" : "pending", tags };
}
