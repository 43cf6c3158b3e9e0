import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { MANUAL_TLS_SERVER_NAME } from "@peerpods/podvm-contract";
import { checkPair } from "./generation.ts";
import type { PodTls, PodTlsSource } from "./pod-tls.ts";
import type { KeyPair } from "./x509.ts";

/** Files with key material that the operator provides; PEM. Empty means not given. */
export interface TlsFiles {
  /** Authority that signed the server certificates in the pod VM image. */
  readonly caCertFile: string;
  readonly certFile: string;
  readonly certKey: string;
}

/** A combination or a file that cannot work, found at the start of the daemon. The message names the option. */
export class TlsFilesError extends Error {
  override readonly name = "TlsFilesError";
}

/**
 * Chooses where the pods' TLS material comes from.
 *
 * | given | server certificate in the VM | client certificate | name that is expected |
 * |---|---|---|---|
 * | nothing | made per pod | made by the node | instance name |
 * | cert and key | made per pod | the files; the VM is told to trust it | instance name |
 * | CA, cert and key | in the VM image | the files; the VM image must trust it | `podvm-server` |
 *
 * Files are read now, so that a mistake ends the start, and again for each pod, so that a renewed file is used.
 * @param auto the node's own material.
 * @throws TlsFilesError for every other combination and for files that cannot be used.
 */
export async function choosePodTls(files: TlsFiles, auto: PodTlsSource): Promise<PodTlsSource> {
  const { caCertFile, certFile, certKey } = files;
  if ((certFile === "") !== (certKey === "")) {
    throw new TlsFilesError("cert-file and cert-key belong together: give both or none");
  }
  if (caCertFile !== "" && certFile === "") {
    throw new TlsFilesError(
      "ca-cert-file needs cert-file and cert-key as well: no pod VM image can know a client certificate that is made here",
    );
  }
  if (certFile === "") return auto;
  await readClient(files);
  if (caCertFile === "") return withClientFiles(files, auto);
  await readAuthority(files);
  return withAllFiles(files);
}

function withClientFiles(files: TlsFiles, auto: PodTlsSource): PodTlsSource {
  return {
    issue: async (serverName): Promise<PodTls> => {
      const client = await readClient(files);
      const { guest, relay } = await auto.issue(serverName);
      return { guest: { ...guest, tlsClientCa: client.cert }, relay: { ...relay, ...client } };
    },
  };
}

function withAllFiles(files: TlsFiles): PodTlsSource {
  return {
    issue: async (): Promise<PodTls> => {
      const [ca, client] = await Promise.all([readAuthority(files), readClient(files)]);
      return { guest: {}, relay: { ca, ...client, serverName: MANUAL_TLS_SERVER_NAME } };
    },
  };
}

async function readAuthority({ caCertFile }: TlsFiles): Promise<string> {
  const ca = await readPem("ca-cert-file", caCertFile);
  try {
    requireUnexpired(new X509Certificate(ca));
  } catch (error) {
    throw unusable("ca-cert-file", caCertFile, error);
  }
  return ca;
}

async function readClient({ certFile, certKey }: TlsFiles): Promise<KeyPair> {
  const cert = await readPem("cert-file", certFile);
  const key = await readPem("cert-key", certKey);
  try {
    requireUnexpired(checkPair({ cert, key }));
  } catch (error) {
    throw unusable("cert-file", certFile, error);
  }
  return { cert, key };
}

function requireUnexpired({ validTo, validToDate }: X509Certificate): void {
  if (validToDate < new Date()) throw new Error(`it expired on ${validTo}`);
}

async function readPem(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unusable(option, path, error);
  }
}

function unusable(option: string, path: string, cause: unknown): TlsFilesError {
  const reason = cause instanceof Error ? cause.message : "unknown error";
  return new TlsFilesError(`${option}: ${path} cannot be used: ${reason}`, { cause });
}
