/** What the lifecycle wants of the agent relay: the process that owns the agent sockets of all pods of the node. */

/** Options of every call that waits: it rejects with `signal.reason` soon after the signal aborts. */
export interface WaitOptions {
  readonly signal: AbortSignal;
}

/** Where the forwarder of a pod VM listens. */
export interface RelayTarget {
  /** Address of the VM, no name. */
  readonly host: string;
  readonly port: number;
}

/** Mutual TLS towards the forwarder. All PEM; kept by the relay in memory only. */
export interface RelayTls {
  /** The only authority that may have signed the server's certificate. */
  readonly ca: string;
  /** Client certificate, may be a chain. */
  readonly cert: string;
  /** Private key of the client certificate, PKCS#8. */
  readonly key: string;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Cipher list of TLS 1.2 in OpenSSL's form, joined by `:`. Absent means the runtime's default. */
  readonly ciphers?: string;
}

export interface RelayOpenRequest {
  readonly sandboxId: string;
  /** Absolute path of the agent socket to bind, at most 107 bytes. Its directory exists. */
  readonly socketPath: string;
  readonly target: RelayTarget;
  /** Absent means plain TCP. */
  readonly tls?: RelayTls;
  /** Limit for reaching the forwarder the first time, all attempts together. */
  readonly dialTimeoutMs: number;
}

/** Who answers on the relay's control socket. */
export interface RelayHello {
  /** Version of the control protocol; grows by one with each change that the other side can notice. */
  readonly protocol: number;
  /** Program version, for people. */
  readonly version: string;
}

/** Both directions of one sandbox, since it was opened. */
export interface RelayTraffic {
  readonly toVm: number;
  readonly toShim: number;
}

/** One sandbox as the relay knows it. */
export interface RelaySandbox {
  readonly sandboxId: string;
  readonly socketPath: string;
  readonly target: RelayTarget;
  /**
   * Connection to the forwarder: `connecting` until it was reached once, `reconnecting` while the relay tries to get
   * it back, `lost` when it has given up for good (the VM's forwarder is gone or refuses us).
   */
  readonly state: "connecting" | "connected" | "reconnecting" | "lost";
  /**
   * The shim's connection: `none` when it never came, `gone` when it came and no connection is left. A shim never dials
   * again, so `gone` is for ever as far as that shim is concerned.
   */
  readonly shim: "none" | "connected" | "gone";
  /** Milliseconds since the epoch of the latest change of `state` or `shim`. */
  readonly sinceMs: number;
  readonly frames: RelayTraffic;
  readonly bytes: RelayTraffic;
  readonly reconnects: number;
  /**
   * When the shim asked for the start of the first container beside the pod's own pause container; milliseconds since the
   * epoch. Absent before that, and with a relay that does not tell.
   */
  readonly firstContainerMs?: number;
}

/** A change the relay reports: the sandbox as it is now, or that it is no longer held. */
export type RelayEvent =
  | { readonly type: "changed"; readonly sandbox: RelaySandbox }
  | { readonly type: "closed"; readonly sandboxId: string };

/** The relay, as its control socket shows it. Every call can be repeated; the relay outlives its callers. */
export interface RelayControl {
  hello(options: WaitOptions): Promise<RelayHello>;

  /**
   * Binds the agent socket (a stale file there is removed), reaches the forwarder, and resolves when both are done.
   *
   * Idempotent: the same sandbox with the same socket, target and server name resolves at once when it is open, or joins
   * the attempt under way. The same sandbox with others is refused. A failed or aborted `open` leaves nothing:
   * no socket file, no connection, no entry in `list`.
   */
  open(request: RelayOpenRequest, options: WaitOptions): Promise<void>;

  /** Ends both connections, removes the socket file and forgets the sandbox. One it does not hold is no error. */
  close(sandboxId: string, options: WaitOptions): Promise<void>;

  list(options: WaitOptions): Promise<readonly RelaySandbox[]>;

  /**
   * Begins with the present state of every sandbox, then yields each change. Ends with an error when the relay cannot
   * be reached any more, and with `signal.reason` when the signal aborts; whoever still cares calls it again.
   */
  watch(options: WaitOptions): AsyncIterable<RelayEvent>;
}
