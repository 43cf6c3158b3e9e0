import { PodVMContractError } from "../errors.ts";
import { tls12CipherSuites, tls13CipherSuites } from "./cipher-suites.ts";

/** A TLS profile as users write it: a Kubernetes version name and IANA suite names. Both may be empty. */
export interface TlsProfileInput {
  readonly minVersion?: string | undefined;
  readonly cipherSuites?: readonly string[] | undefined;
}

/** The same as options of `node:tls`, for a server or a client. */
export interface TlsProfile {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL list. Absent means Node's own choice. */
  readonly ciphers?: string;
}

/**
 * Turns a TLS profile into `node:tls` options.
 *
 * TLS 1.2 is the floor, also for an empty profile. Suites limit TLS 1.2 only; the 1.3 suites stay available.
 * Blanks around names and empty items do not matter.
 * @throws PodVMContractError `invalid_tls_profile` for versions 1.0 and 1.1, unknown names (the valid ones are
 * listed), and suites together with `VersionTLS13`.
 */
export function parseTlsProfile({ minVersion = "", cipherSuites = [] }: TlsProfileInput): TlsProfile {
  const version = parseVersion(minVersion.trim());
  const names = cipherSuites.map((name) => name.trim()).filter((name) => name !== "");
  if (names.length === 0) return { minVersion: version };
  if (version === "TLSv1.3") {
    throw invalid("cipherSuites cannot be chosen with minVersion VersionTLS13; its suites are fixed");
  }
  return { minVersion: version, ciphers: [...tls13CipherSuites, ...names.flatMap(openSslName)].join(":") };
}

function parseVersion(version: string): TlsProfile["minVersion"] {
  switch (version) {
    case "":
    case "VersionTLS12":
      return "TLSv1.2";
    case "VersionTLS13":
      return "TLSv1.3";
    case "VersionTLS10":
    case "VersionTLS11":
      throw invalid(`minVersion ${version} is not supported; use VersionTLS12 or VersionTLS13`);
    default:
      throw invalid("invalid minVersion; use VersionTLS12 or VersionTLS13");
  }
}

function openSslName(name: string): readonly string[] {
  const openSsl = tls12CipherSuites.get(name);
  if (openSsl !== undefined) return [openSsl];
  if (tls13CipherSuites.includes(name)) return [];
  const valid = [...tls12CipherSuites.keys(), ...tls13CipherSuites].join(", ");
  throw invalid(`invalid cipherSuites: ${JSON.stringify(name)} is unknown; valid names: ${valid}`);
}

function invalid(reason: string): PodVMContractError {
  return new PodVMContractError("invalid_tls_profile", `invalid TLS profile: ${reason}`);
}
