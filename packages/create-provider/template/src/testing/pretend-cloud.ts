import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FaultFacility, InjectedFault } from "@peerpods/cloud-providers/conformance";
import type { AcmeInstance, AcmeInstanceRequest } from "../client.ts";

interface Kept extends AcmeInstance {
  readonly request: AcmeInstanceRequest;
}

/** A server that answers as the cloud's API would, and can be told to fail. It checks what it is sent. */
export interface PretendCloud extends AsyncDisposable {
  readonly endpoint: string;
  readonly instances: ReadonlyMap<string, Kept>;
  readonly faults: FaultFacility;
  /** Makes an instance vanish. */
  vanish(id: string): void;
}

interface Armed {
  after: number;
  times: number;
  hits: number;
  readonly kind: InjectedFault | "stall" | "stall_acted";
  readonly hit: () => void;
}

export async function startPretendCloud({
  apiKey,
  images,
}: {
  readonly apiKey: string;
  readonly images: readonly string[];
}): Promise<PretendCloud> {
  const instances = new Map<string, Kept>();
  const tokens = new Map<string, string>();
  const armed = new Set<Armed>();
  let calls = 0;

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => send(response, 500, String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    calls += 1;
    const fault = nextFault();
    if (fault === "throttle") return send(response, 429, "too many calls");
    if (fault === "server_error") return send(response, 503, "out of order");
    if (fault === "reset_before") return void response.destroy();
    if (fault === "stall") return;
    const { status, body } = act(request, Buffer.concat(chunks).toString());
    if (fault === "reset_after") return void response.destroy();
    if (fault !== "stall_acted") send(response, status, body);
  }

  function act(request: IncomingMessage, text: string): { readonly status: number; readonly body?: unknown } {
    if (request.headers.authorization !== `Bearer ${apiKey}`) return { status: 401, body: "who are you?" };
    const { pathname, searchParams } = new URL(request.url ?? "", "http://cloud");
    const [, kind, id] = pathname.split("/");
    if (kind === "images")
      return images.includes(id ?? "")
        ? { status: 200, body: { id } }
        : { status: 404, body: `no image ${id}` };
    if (kind !== "instances") return { status: 404, body: "no such path" };
    if (request.method === "POST") return create(JSON.parse(text) as AcmeInstanceRequest);
    if (id === undefined) {
      const all = [...instances.values()];
      const matching = all.filter(({ tags }) =>
        [...searchParams].every(([key, value]) => tags[key] === value),
      );
      return { status: 200, body: matching };
    }
    const instance = instances.get(id);
    if (instance === undefined) return { status: 404, body: `no instance ${id}` };
    if (request.method === "DELETE") {
      instances.delete(id);
      return { status: 204 };
    }
    // Whoever looks once sees it start.
    const number = [...tokens.values()].indexOf(id);
    const addresses = [`198.18.${number >> 8}.${number & 255}`];
    instances.set(id, { ...instance, state: "running", addresses });
    return { status: 200, body: instance };
  }

  function create(request: AcmeInstanceRequest): { readonly status: number; readonly body: unknown } {
    if (!images.includes(request.image)) return { status: 404, body: `no image ${request.image}` };
    if (!["small", "large"].includes(request.type)) return { status: 400, body: `no type ${request.type}` };
    const known = tokens.get(request.token);
    if (known !== undefined) {
      const instance = instances.get(known);
      return instance !== undefined && JSON.stringify(instance.request) === JSON.stringify(request)
        ? { status: 200, body: instance }
        : { status: 409, body: `token ${request.token} was used` };
    }
    const id = `vm-${randomBytes(8).toString("hex")}`;
    tokens.set(request.token, id);
    instances.set(id, {
      id,
      name: request.name,
      state: "starting",
      addresses: [],
      tags: request.tags,
      request,
    });
    return { status: 200, body: instances.get(id) };
  }

  function nextFault(): Armed["kind"] | undefined {
    for (const one of armed) {
      if (one.after > 0) {
        one.after -= 1;
        continue;
      }
      if (one.times <= 0) continue;
      one.times -= 1;
      one.hits += 1;
      one.hit();
      return one.kind;
    }
    return undefined;
  }

  function arm(kind: Armed["kind"], { after, times }: { readonly after: number; readonly times: number }) {
    const { promise: reached, resolve: hit } = Promise.withResolvers<void>();
    const one: Armed = { kind, after, times, hits: 0, hit };
    armed.add(one);
    return {
      reached,
      get hits() {
        return one.hits;
      },
      [Symbol.dispose]: () => void armed.delete(one),
    };
  }

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    instances,
    faults: {
      callCount: () => calls,
      inject: ({ kind, after, times = 1 }) => arm(kind, { after, times }),
      stall: ({ after, acted }) => arm(acted ? "stall_acted" : "stall", { after, times: 1 }),
    },
    vanish: (id) => void instances.delete(id),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  response
    .writeHead(status)
    .end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
}
