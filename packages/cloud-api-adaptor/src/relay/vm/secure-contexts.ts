import { createHash } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { SecureContext } from "node:tls";
import type { RelayTls } from "../../sandbox/relay-port.ts";
import { reasonOf, RelayError } from "../errors.ts";

type Material = Omit<RelayTls, "serverName">;

/** A context in use; disposing gives it back. */
export interface SecureContextLease extends Disposable {
  readonly context: SecureContext;
}

/**
 * TLS contexts by content. All pods of a node share the client certificate and the authority, and a context costs far
 * more memory than the rest of a sandbox.
 */
export class SecureContexts {
  readonly #entries = new Map<string, { readonly context: SecureContext; users: number }>();

  /** @throws RelayError `invalid_request` when certificate, key, authority or ciphers are unusable. */
  lease(material: Material): SecureContextLease {
    const id = digest(material);
    const entry = this.#entries.get(id) ?? { context: createContext(material), users: 0 };
    this.#entries.set(id, entry);
    entry.users += 1;
    let held = true;
    return {
      context: entry.context,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        entry.users -= 1;
        if (entry.users === 0) this.#entries.delete(id);
      },
    };
  }

  /** Contexts in memory. */
  get size(): number {
    return this.#entries.size;
  }
}

function createContext({ ca, cert, key, minVersion = "TLSv1.2", ciphers }: Material): SecureContext {
  try {
    return createSecureContext({ ca, cert, key, minVersion, ...(ciphers === undefined ? {} : { ciphers }) });
  } catch (error) {
    throw new RelayError(
      "invalid_request",
      `tls: certificate, key, ca or ciphers are unusable: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function digest({ ca, cert, key, minVersion = "TLSv1.2", ciphers = "" }: Material): string {
  return createHash("sha256")
    .update(JSON.stringify([ca, cert, key, minVersion, ciphers]))
    .digest("base64");
}
