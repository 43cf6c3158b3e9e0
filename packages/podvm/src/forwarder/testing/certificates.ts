// oxlint-disable-next-line import/no-unassigned-import -- the library refuses to load without it
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { X509Certificate } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const minute = 60_000;

/** Certificate and key as PEM texts. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

interface Issuer extends Identity {
  readonly certificate: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** What a worker node makes for its pod VMs, in the shape of the reference: see its TLS material. */
export interface NodeIdentities {
  /** CA of server certificates. */
  readonly serverCa: string;
  /** Self-signed; it is its own trust anchor in the VM. */
  readonly client: Identity;
  server(name: string, options?: { readonly expired?: boolean }): Promise<Identity>;
}

export async function makeNodeIdentities(): Promise<NodeIdentities> {
  const ca = await make({ name: "O=agent-protocol-forwarder", usage: "serverAuth", isCa: true });
  const client = await make({ name: "O=cloud-api-adaptor", usage: "clientAuth" });
  return {
    serverCa: ca.cert,
    client,
    server: (name, { expired = false } = {}) =>
      make({
        name: `O=agent-protocol-forwarder, CN=${name}`,
        usage: "serverAuth",
        dnsName: name,
        issuer: ca,
        expired,
      }),
  };
}

/** A client certificate of nobody's CA; `expired` ones ended an hour ago. */
export function makeClient(options: { readonly expired?: boolean } = {}): Promise<Identity> {
  return make({ name: "O=cloud-api-adaptor", usage: "clientAuth", ...options });
}

interface Wanted {
  readonly name: string;
  readonly usage: "serverAuth" | "clientAuth";
  readonly isCa?: boolean;
  readonly dnsName?: string;
  readonly issuer?: Issuer;
  readonly expired?: boolean;
}

async function make({
  name,
  usage,
  isCa = false,
  dnsName,
  issuer,
  expired = false,
}: Wanted): Promise<Issuer> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const end = Date.now() + (expired ? -60 * minute : 60 * minute);
  const common = {
    notBefore: new Date(end - 120 * minute),
    notAfter: new Date(end),
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(isCa, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage[usage]]),
      ...(dnsName === undefined
        ? []
        : [new SubjectAlternativeNameExtension([{ type: "dns", value: dnsName }])]),
    ],
  };
  const certificate =
    issuer === undefined
      ? await X509CertificateGenerator.createSelfSigned({ ...common, name, keys })
      : await X509CertificateGenerator.create({
          ...common,
          subject: name,
          issuer: issuer.certificate.subject,
          publicKey: keys.publicKey,
          signingKey: issuer.keys.privateKey,
        });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: certificate.toString("pem"),
    key: PemConverter.encode(pkcs8, "PRIVATE KEY"),
    certificate,
    keys,
  };
}
