import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
// The X.509 library needs it and does not load it by itself.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** PEM texts of one side: its certificate and key, and the authority that both sides trust. */
export interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** A directory with the same as ca.crt, tls.crt and tls.key. */
  readonly directory: string;
}

/** One authority and one certificate per name, each good for both ends; the server name is the name itself. */
export async function issueIdentities<N extends string>(
  directory: string,
  names: readonly N[],
): Promise<Record<N, Identity>> {
  const caKeys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=bench CA",
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true)],
  });
  const identities: Partial<Record<N, Identity>> = {};
  for (const name of names) {
    const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const cert = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    });
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    const target = join(directory, name);
    const identity = {
      ca: ca.toString("pem"),
      cert: cert.toString("pem"),
      key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
      directory: target,
    };
    await mkdir(target, { recursive: true });
    await writeFile(join(target, "ca.crt"), identity.ca);
    await writeFile(join(target, "tls.crt"), identity.cert);
    await writeFile(join(target, "tls.key"), identity.key, { mode: 0o600 });
    identities[name] = identity;
  }
  return identities as Record<N, Identity>;
}
