import type { AgentOptions, RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { Agent, type Dispatcher, ProxyAgent } from "undici";

/** What the configuration fills in. */
type Answered = AgentOptions & Pick<RequestOptions, "headers" | "auth">;
/** The same to both libraries, which type differently that an option is `undefined`. */
type TlsOptions = NonNullable<ProxyAgent.Options["requestTls"]>;
type DispatcherOptions = ReturnType<KubeConfig["createDispatcherOptions"]>;

/**
 * How long a connection waits for the next request. Servers, and load balancers on the way, wait for a minute or more, so
 * that none of them closes one under a request.
 */
const IDLE_MS = 30_000;

const CONNECT_TIMEOUT_MS = 10_000;

/** What a request is sent with. */
export interface Access {
  readonly dispatcher: Dispatcher;
  /** Who asks. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Connections to one API server, kept from request to request: a TLS handshake is more work than most requests. Credentials,
 * certificates and proxy are taken from the configuration for each request, since files, tokens and plugins renew them;
 * other certificates begin other connections.
 *
 * They speak HTTP/1.1. With HTTP/2 a request that is aborted while it is sent can put Node's session (seen in 24.21) into a
 * loop without an end, which stops the process and fills the machine's memory.
 */
export class Connections implements AsyncDisposable {
  readonly #config: KubeConfig;
  #current: { readonly dispatcher: Dispatcher; readonly identity: string } | undefined;
  #isDisposed = false;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** @throws Error when credentials cannot be read or got, or after disposal. */
  async access(): Promise<Access> {
    const options: Answered = {};
    await this.#config.applyToHTTPSOptions(options);
    const cluster = this.#config.getCurrentCluster();
    return {
      dispatcher: this.#dispatcherFor(this.#config.createDispatcherOptions(cluster, options)),
      headers: headersOf(options),
    };
  }

  /** Ends all connections, and what is under way on them. Can be repeated. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#current?.dispatcher.destroy();
  }

  #dispatcherFor(options: DispatcherOptions): Dispatcher {
    if (this.#isDisposed) throw new Error("the connections to the API server are closed");
    const identity = identityOf(options);
    if (this.#current?.identity === identity) return this.#current.dispatcher;
    // What is under way on the old ones goes on to its end.
    void this.#current?.dispatcher.close();
    const dispatcher = createDispatcher(options);
    this.#current = { dispatcher, identity };
    return dispatcher;
  }
}

/** Answers have the deadlines of their requests. */
const common = {
  allowH2: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  keepAliveTimeout: IDLE_MS,
  headersTimeout: 0,
  bodyTimeout: 0,
} as const;

function createDispatcher(options: DispatcherOptions): Dispatcher {
  switch (options.type) {
    case "proxy":
    case "socks":
      return new ProxyAgent({ ...common, uri: options.uri, requestTls: options.requestTls as TlsOptions });
    case "agent":
      return new Agent({ ...common, connect: options.connect as TlsOptions });
    case "none":
      return new Agent(common);
  }
}

/** Equal for options that may share connections. */
function identityOf(options: DispatcherOptions): string {
  if (options.type === "none") return "";
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } =
    options.type === "agent" ? options.connect : options.requestTls;
  const proxy = options.type === "agent" ? "" : options.uri;
  return [proxy, ca, cert, key, pfx, passphrase, servername, rejectUnauthorized].map(String).join("\n");
}

function headersOf({ headers = {}, auth }: Answered): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = String(value);
  if (typeof auth === "string") all["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return all;
}
