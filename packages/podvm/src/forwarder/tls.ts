import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { TlsOptions } from "node:tls";
import { parseTlsProfile } from "@peerpods/podvm-contract";
import type { ApfConfig } from "@peerpods/podvm-contract";
import { ForwarderError } from "./errors.ts";
import type { ForwarderOptions } from "./options.ts";

/** Options of a `node:tls` server; `undefined` is plain TCP, which was asked for. */
export type ServerTls = TlsOptions | undefined;

type TlsFlags = Pick<
  ForwarderOptions,
  "clientCaFile" | "certFile" | "keyFile" | "tlsSkipVerify" | "disableTls"
>;

/**
 * Puts the TLS settings together. Certificate and key come from the flags if both are given, else from `apf.json`; the CA
 * of clients likewise, on its own. Clients must show a certificate of exactly that CA. Without a CA the forwarder does
 * not start, unless `-tls-skip-verify` says that anyone may come; both together contradict each other.
 * @throws ForwarderError `tls`
 */
export async function resolveServerTls(flags: TlsFlags, config: ApfConfig): Promise<ServerTls> {
  if (flags.disableTls) return undefined;
  const pair =
    flags.certFile !== "" && flags.keyFile !== ""
      ? { cert: await readPem(flags.certFile, "-cert-file"), key: await readPem(flags.keyFile, "-cert-key") }
      : { cert: config.tlsServerCert, key: config.tlsServerKey };
  const { cert, key } = pair;
  if (cert === undefined || key === undefined) {
    throw tlsError("no server certificate and key: give -cert-file and -cert-key, or put them into apf.json");
  }
  checkPair(cert, key);
  const ca =
    flags.clientCaFile === "" ? config.tlsClientCa : await readPem(flags.clientCaFile, "-ca-cert-file");
  return { cert, key, ...clientAuthentication(ca, flags.tlsSkipVerify), ...profileOf(config) };
}

function clientAuthentication(ca: string | undefined, skipVerify: boolean): TlsOptions {
  if (ca === undefined) {
    if (skipVerify) return { requestCert: false };
    throw tlsError(
      "no CA to check clients against, so anyone could drive the agent: give -ca-cert-file, or tls-client-ca in apf.json",
    );
  }
  if (skipVerify) throw tlsError("-tls-skip-verify contradicts the CA of clients: drop one of them");
  const certificates = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw tlsError("the CA of clients holds no certificate");
  for (const certificate of certificates) parseCertificate(certificate, "the CA of clients");
  return { ca: certificates, requestCert: true, rejectUnauthorized: true };
}

function profileOf({ tlsMinVersion, tlsCipherSuites }: ApfConfig): TlsOptions {
  try {
    const { minVersion, ciphers } = parseTlsProfile({
      minVersion: tlsMinVersion,
      cipherSuites: tlsCipherSuites,
    });
    return ciphers === undefined ? { minVersion } : { minVersion, ciphers };
  } catch (error) {
    throw tlsError(error instanceof Error ? error.message : "invalid TLS profile", error);
  }
}

function checkPair(cert: string, key: string): void {
  const certificate = parseCertificate(cert, "the server certificate");
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    // The cause could carry parts of the key.
    throw tlsError("the server key is not a PEM private key");
  }
  if (!matches) throw tlsError("server certificate and key do not belong together");
}

function parseCertificate(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw tlsError(`${what} is not a PEM certificate`, error);
  }
}

async function readPem(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw tlsError(`cannot read ${flag} ${path}`, error);
  }
}

function tlsError(message: string, cause?: unknown): ForwarderError {
  return new ForwarderError("tls", message, cause === undefined ? undefined : { cause });
}
