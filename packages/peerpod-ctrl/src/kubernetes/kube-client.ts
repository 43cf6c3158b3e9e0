import type { KubeConfig } from "@kubernetes/client-node";
import { Connections } from "./connections.ts";
import { errorFromAnswer, errorFromFailure, KubernetesError, type RequestScope } from "./errors.ts";
import { readLines, readText } from "./read-body.ts";

const REQUEST_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** One request. */
export interface KubeRequest extends RequestScope {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Of the body. Default `application/json`. */
  readonly contentType?: string;
}

export interface KubeCallOptions {
  readonly signal?: AbortSignal;
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

/** How an answered or failed request is counted: verb, resource, status or error code. */
export interface RequestObservation {
  readonly verb: string;
  readonly resource: string;
  readonly outcome: string;
}

/**
 * Requests to one API server. Credentials, certificates, proxies and rotated tokens are those of @kubernetes/client-node's
 * `KubeConfig`; above it stand kept connections, limits, deadlines, abort and errors with a code, which its generated clients
 * lack.
 */
export interface KubeClient {
  /**
   * Sends a request and gives the parsed answer.
   * @throws KubernetesError
   */
  request(request: KubeRequest, options?: KubeCallOptions): Promise<unknown>;
  /**
   * Sends a watch and gives its events as they come. Ends when the server ends it.
   * @throws KubernetesError also when nothing comes for `idleMs`.
   */
  watch(
    request: KubeRequest,
    options: { readonly signal: AbortSignal; readonly idleMs: number },
  ): AsyncIterable<unknown>;
}

/**
 * A client with connections of its own. Idle ones close after half a minute and keep no process alive; disposal closes all,
 * which ends what is under way, and can be repeated.
 * @param options.observe called once per request, for metrics.
 */
export function createKubeClient(
  config: KubeConfig,
  { observe }: { readonly observe?: (observation: RequestObservation) => void } = {},
): KubeClient & Disposable {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error("the kubeconfig names no cluster in its current context");
  const connections = new Connections(config);

  async function send(request: KubeRequest, signal: AbortSignal) {
    const outcome = (word: string) =>
      observe?.({ verb: request.verb, resource: request.resource, outcome: word });
    try {
      const answer = await connections.send({
        url: urlOf(server ?? "", request),
        method: request.method,
        headers: { accept: "application/json", ...contentTypeOf(request) },
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
        signal,
      });
      const { statusCode: status = 0, headers } = answer;
      outcome(String(status));
      if (status >= 200 && status < 300) return answer;
      const retryAfter = headers["retry-after"];
      throw errorFromAnswer(request, {
        status,
        body: await readText(answer, MAX_ANSWER_BYTES),
        ...(retryAfter === undefined ? {} : { retryAfter }),
      });
    } catch (thrown) {
      const error = errorFromFailure(request, signal.aborted ? signal.reason : thrown);
      if (!(thrown instanceof KubernetesError)) outcome(error.code);
      throw error;
    }
  }

  return {
    async request(request, { signal, timeoutMs = REQUEST_TIMEOUT_MS } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const combined = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      const body = await send(request, combined);
      try {
        return JSON.parse(await readText(body, MAX_ANSWER_BYTES)) as unknown;
      } catch (thrown) {
        throw errorFromFailure(request, combined.aborted ? combined.reason : thrown);
      }
    },
    async *watch(request, { signal, idleMs }) {
      using idle = idleTimer(idleMs);
      const combined = AbortSignal.any([signal, idle.signal]);
      const body = await send({ ...request, query: { ...request.query, watch: true } }, combined);
      try {
        for await (const line of readLines(body, MAX_EVENT_BYTES)) {
          idle.restart();
          yield JSON.parse(line) as unknown;
        }
      } catch (thrown) {
        throw errorFromFailure(request, combined.aborted ? combined.reason : thrown);
      }
    },
    [Symbol.dispose]: () => connections[Symbol.dispose](),
  };
}

function contentTypeOf({ body, contentType = "application/json" }: KubeRequest): Record<string, string> {
  return body === undefined ? {} : { "content-type": contentType };
}

function urlOf(server: string, { path, query = {} }: KubeRequest): string {
  const url = new URL(server.replace(/\/$/, "") + path);
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value));
  return url.toString();
}

function idleTimer(idleMs: number) {
  const controller = new AbortController();
  const expire = () => controller.abort(new DOMException(`nothing came for ${idleMs} ms`, "TimeoutError"));
  let timer = setTimeout(expire, idleMs);
  return {
    signal: controller.signal,
    restart() {
      clearTimeout(timer);
      timer = setTimeout(expire, idleMs);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
