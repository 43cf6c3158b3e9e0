import { X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { Logger } from "@peerpods/cloud-providers";
import type { Clock } from "../sandbox/ports.ts";
import { highestNumber, loadNewest, saveGeneration } from "./generation.ts";
import type { Generation } from "./generation.ts";
import { loadX509 } from "./load-x509.ts";
import type { PodTlsSource } from "./pod-tls.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Life of every certificate made here. */
export const VALIDITY_MS = 2 * 365 * DAY_MS;
/** Clocks of pod VMs may be behind by this much. */
export const CLOCK_SKEW_MS = 5 * 60_000;
/** A generation makes way for the next when less than this is left, so every pod VM gets a year at least. */
export const ROTATE_BEFORE_MS = VALIDITY_MS / 2;

const CLIENT_ORGANIZATION = "cloud-api-adaptor";
const SERVER_ORGANIZATION = "agent-protocol-forwarder";

export interface NodePkiOptions {
  /** Directory of the generations; made with mode 0700. */
  readonly dir: string;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/**
 * The node's own certificates: an authority for the pod VMs' server certificates and one client certificate for the
 * relay. They are kept on disk, survive restarts, and are replaced by a new generation at half of their life. Pods that
 * run keep what they were given: their VM and the relay hold their own copies.
 */
export class NodePki implements PodTlsSource {
  readonly #options: NodePkiOptions;
  #generation: Generation | undefined;
  #refreshing: Promise<Generation> | undefined;

  constructor(options: NodePkiOptions) {
    this.#options = options;
  }

  /** Reads or makes the material, so that a directory that cannot be written shows at the start. */
  async load(): Promise<void> {
    await this.#current();
  }

  async issue(serverName: string): ReturnType<PodTlsSource["issue"]> {
    const { authority, client } = await this.#current();
    const { makeCertificate } = await loadX509();
    const server = await makeCertificate(
      {
        organization: SERVER_ORGANIZATION,
        name: serverName,
        usage: "server",
        authority: false,
        ...this.#lifetime(),
      },
      authority,
    );
    return {
      guest: { tlsServerCert: server.cert, tlsServerKey: server.key, tlsClientCa: client.cert },
      relay: { ca: authority.cert, ...client, serverName },
    };
  }

  /** The generation in use; a new one when there is none or it has come to half of its life. Made once for all callers. */
  async #current(): Promise<Generation> {
    const present = this.#generation;
    if (present !== undefined && this.#isFresh(present)) return present;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return (this.#generation = await this.#refreshing);
  }

  async #refresh(): Promise<Generation> {
    const { dir, logger } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const stored = await this.#loadStored();
    if (stored !== undefined && this.#isFresh(stored)) return stored;
    const generation = await this.#make((await highestNumber(dir)) + 1);
    await saveGeneration(dir, generation);
    logger.info({ generation: generation.number }, "new certificates for pod VMs made");
    return generation;
  }

  async #loadStored(): Promise<Generation | undefined> {
    const { dir, logger } = this.#options;
    try {
      return await loadNewest(dir);
    } catch (error) {
      // Nothing depends on it any more (see `saveGeneration`), so a new one is made rather than refusing every pod.
      logger.error({ err: error }, "stored certificates cannot be used");
      return undefined;
    }
  }

  async #make(number: number): Promise<Generation> {
    const { makeCertificate } = await loadX509();
    const [authority, client] = await Promise.all([
      makeCertificate({
        organization: SERVER_ORGANIZATION,
        usage: "server",
        authority: true,
        ...this.#lifetime(),
      }),
      makeCertificate({
        organization: CLIENT_ORGANIZATION,
        usage: "client",
        authority: false,
        ...this.#lifetime(),
      }),
    ]);
    return { number, authority, client };
  }

  #isFresh({ authority, client }: Generation): boolean {
    const ends = [authority, client].map(({ cert }) => new X509Certificate(cert).validToDate.getTime());
    return Math.min(...ends) - this.#options.clock.now() >= ROTATE_BEFORE_MS;
  }

  #lifetime(): { notBefore: Date; notAfter: Date } {
    const now = this.#options.clock.now();
    return { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + VALIDITY_MS) };
  }
}
