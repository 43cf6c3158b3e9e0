import { once } from "node:events";
import {
  Agent as HttpAgent,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestPlain,
} from "node:http";
import { Agent as HttpsAgent, request as requestSecure, type RequestOptions } from "node:https";
import { aborted } from "node:util";
import type { KubeConfig } from "@kubernetes/client-node";

/**
 * How long a connection waits for the next request. Servers, and load balancers on the way, wait for a minute or more, so
 * that none of them closes one under a request.
 */
const IDLE_MS = 30_000;
/** Of TCP, on a connection that says nothing, such as that of a watch. */
const PROBE_AFTER_MS = 30_000;
const kept = { keepAlive: true, keepAliveMsecs: PROBE_AFTER_MS, timeout: IDLE_MS } as const;

/** One request, as it goes over the wire. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Connections to one API server, kept from request to request: a TLS handshake is more work than most requests. Credentials,
 * certificates and proxy are taken from the configuration for each request, since files, tokens and plugins renew them;
 * other certificates take other connections. A proxy gets a connection for each request.
 *
 * They speak HTTP/1.1. With HTTP/2 a request that is aborted while it is sent can put Node's session (seen in 24.21) into a
 * loop without an end, which stops the process and fills the machine's memory. They are Node's own and not those of undici,
 * which @kubernetes/client-node uses: its parser takes 13 MiB more of a process, and a request a quarter more CPU.
 */
export class Connections implements Disposable {
  readonly #config: KubeConfig;
  readonly #plain = new HttpAgent(kept);
  readonly #secure = new HttpsAgent(kept);
  #isDisposed = false;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /**
   * Sends a request; resolves with the head of the answer, whose body is still to be read.
   * @throws Error when there is no answer, credentials cannot be read or got, or after disposal; `signal.reason` may be its cause.
   */
  async send({ url, method, headers, body, signal }: WireRequest): Promise<IncomingMessage> {
    const configured: RequestOptions = {};
    // It may run a plugin or ask an identity provider, neither of which it limits.
    const abandoned = aborted(signal, configured).then(() => signal.throwIfAborted());
    await Promise.race([this.#config.applyToHTTPSOptions(configured), abandoned]);
    if (this.#isDisposed) throw new Error("the connections to the API server are closed");
    const isSecure = url.startsWith("https:");
    const own = isSecure ? this.#secure : this.#plain;
    // The library's agents keep no connection, but know the way through a proxy.
    const agent = this.#config.getCurrentCluster()?.proxyUrl === undefined ? own : configured.agent;
    const request = (isSecure ? requestSecure : requestPlain)(url, {
      ...configured,
      agent,
      method,
      // The library writes them as an object.
      headers: { ...(configured.headers as OutgoingHttpHeaders), ...headers, ...lengthOf(body) },
      signal,
    });
    // One that comes after the head is also one of the body, whose reader gets it.
    request.on("error", () => undefined);
    request.end(body);
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    return answer;
  }

  /** Ends all connections, and what is under way on them. Can be repeated. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

/** Node gives the length by itself for some methods only, and DELETE, which has a body here, is none of them. */
function lengthOf(body: string | undefined): Record<string, number> {
  return body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
}
