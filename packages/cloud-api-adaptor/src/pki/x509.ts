/**
 * The only file that loads the X.509 library. It takes a tenth of a second, so nothing imports this file statically: see
 * `loadX509`.
 */

// oxlint-disable-next-line import/no-unassigned-import -- the library's dependency injection refuses to load without it
import "reflect-metadata";
import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate with its private key, both PEM; the key is PKCS#8. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate is made for. */
export interface CertificateRequest {
  readonly organization: string;
  /** Common name and only DNS name. Absent: neither. */
  readonly name?: string;
  readonly usage: "client" | "server";
  readonly authority: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A new certificate over a new P-256 key, signed by `issuer` or by itself. It never outlives its issuer. */
export async function makeCertificate(request: CertificateRequest, issuer?: KeyPair): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const parent = issuer === undefined ? undefined : new X509Certificate(issuer.cert);
  const { organization, name, notBefore, notAfter } = request;
  const subject = [{ O: [organization] }, ...(name === undefined ? [] : [{ CN: [name] }])];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: parent?.subject ?? subject,
    notBefore: later(notBefore, parent?.notBefore),
    notAfter: earlier(notAfter, parent?.notAfter),
    publicKey: keys.publicKey,
    signingKey: issuer === undefined ? keys.privateKey : await signingKey(issuer.key),
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(request.authority, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        request.usage === "client" ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
      ]),
      ...(name === undefined ? [] : [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])]),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
  return { cert: `${certificate.toString("pem")}\n`, key: key.toString() };
}

/** 127 random bits: DER reads a set top bit as a minus. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("hex");
}

async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  return await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}

function later(date: Date, bound: Date | undefined): Date {
  return bound !== undefined && bound > date ? bound : date;
}

function earlier(date: Date, bound: Date | undefined): Date {
  return bound !== undefined && bound < date ? bound : date;
}
