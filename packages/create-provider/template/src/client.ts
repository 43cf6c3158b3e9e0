import type { CallContext, CallPolicy, CloudOperation, Tags } from "@peerpods/cloud-providers";
import { errorOfAnswer, errorOfConnection } from "./errors.ts";
import type { Config } from "./options.ts";

/** An instance as the cloud describes it. */
export interface AcmeInstance {
  readonly id: string;
  readonly name: string;
  readonly state: "starting" | "running";
  readonly addresses: readonly string[];
  readonly tags: Tags;
}

export interface AcmeInstanceRequest {
  /** The same token gives the same instance. */
  readonly token: string;
  readonly name: string;
  readonly type: string;
  readonly image: string;
  /** Base64. */
  readonly userData: string;
  readonly tags: Tags;
}

export interface ClientCall extends CallContext {
  /** Called before a try really goes out. */
  readonly onTry?: () => void;
}

/** The boundary to the cloud: put its SDK here, and nowhere else. What it throws is a ProviderError. */
export interface Client {
  create(request: AcmeInstanceRequest, call: ClientCall): Promise<AcmeInstance>;
  /** Those that carry all of these tags. */
  list(tags: Tags, call: CallContext): Promise<readonly AcmeInstance[]>;
  /** @throws ProviderError `not_found` */
  get(id: string, call: CallContext): Promise<AcmeInstance>;
  /** @throws ProviderError `not_found` */
  delete(id: string, call: CallContext): Promise<void>;
  /** @throws ProviderError `not_found` */
  image(id: string, call: CallContext): Promise<void>;
}

/** A client whose calls go through the policy: limited, repeated where that is safe, within the caller's deadline. */
export function createClient({ endpoint, apiKey }: Config, policy: CallPolicy): Client {
  async function ask<Answer>(
    operation: CloudOperation,
    { method, path, body }: { readonly method: string; readonly path: string; readonly body?: unknown },
    call: ClientCall,
  ): Promise<Answer> {
    return await policy.run(
      operation,
      async ({ signal }) => {
        call.onTry?.();
        let answer: Response;
        let text: string;
        try {
          answer = await fetch(new URL(path, endpoint), {
            method,
            signal,
            headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          text = await answer.text();
        } catch (error) {
          signal.throwIfAborted();
          throw errorOfConnection(error);
        }
        if (!answer.ok) throw errorOfAnswer(answer.status, text);
        return (text === "" ? undefined : JSON.parse(text)) as Answer;
      },
      call,
    );
  }
  return {
    create: (request, call) =>
      ask(
        { name: "CreateInstance", repeat: "repeatable", begins: true },
        { method: "POST", path: "instances", body: request },
        call,
      ),
    list: (tags, call) =>
      ask(
        { name: "ListInstances", repeat: "repeatable" },
        { method: "GET", path: `instances?${new URLSearchParams(tags).toString()}` },
        call,
      ),
    get: (id, call) =>
      ask({ name: "GetInstance", repeat: "repeatable" }, { method: "GET", path: `instances/${id}` }, call),
    delete: (id, call) =>
      ask(
        { name: "DeleteInstance", repeat: "repeatable" },
        { method: "DELETE", path: `instances/${id}` },
        call,
      ),
    image: (id, call) =>
      ask(
        { name: "GetImage", repeat: "repeatable" },
        { method: "GET", path: `images/${encodeURIComponent(id)}` },
        call,
      ),
  };
}
