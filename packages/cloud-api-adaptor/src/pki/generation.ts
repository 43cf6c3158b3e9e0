import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KeyPair } from "./x509.ts";

/** The key material of the node: what signs the pod VMs' server certificates, and what the relay shows them. */
export interface Generation {
  /** Counts up from 1. */
  readonly number: number;
  readonly authority: KeyPair;
  readonly client: KeyPair;
}

const PREFIX = "generation-";
const TEMPORARY = ".tmp-";
const files = { authority: "server-ca", client: "client" } as const;

/**
 * Reads the newest generation below `dir`, or `undefined` when there is none.
 * @throws Error when the newest one is damaged, naming the directory.
 */
export async function loadNewest(dir: string): Promise<Generation | undefined> {
  const number = Math.max(0, ...(await numbers(dir)));
  if (number === 0) return undefined;
  const path = join(dir, `${PREFIX}${number}`);
  try {
    const authority = await readPair(path, files.authority);
    const client = await readPair(path, files.client);
    return { number, authority, client };
  } catch (error) {
    throw new Error(`${path} is damaged`, { cause: error });
  }
}

/**
 * Writes a generation as a directory of PEM files, all or nothing (built aside, then renamed), 0600 in 0700, and removes
 * the ones before it: every pod VM carries its own material, and the relay keeps its copy, so nobody reads them again.
 */
export async function saveGeneration(dir: string, generation: Generation): Promise<void> {
  const aside = join(dir, `${TEMPORARY}${randomUUID()}`);
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await writePair(aside, files.authority, generation.authority);
  await writePair(aside, files.client, generation.client);
  await rename(aside, join(dir, `${PREFIX}${generation.number}`));
  for (const name of await readdir(dir)) {
    const isOld = name.startsWith(PREFIX) && Number(name.slice(PREFIX.length)) < generation.number;
    if (isOld || name.startsWith(TEMPORARY)) await rm(join(dir, name), { recursive: true, force: true });
  }
}

/** The highest number used below `dir`, damaged ones included; 0 when there is none. */
export async function highestNumber(dir: string): Promise<number> {
  return Math.max(0, ...(await numbers(dir)));
}

async function numbers(dir: string): Promise<number[]> {
  const names = await readdir(dir);
  return names
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number(name.slice(PREFIX.length)))
    .filter((number) => Number.isSafeInteger(number));
}

async function readPair(dir: string, name: string): Promise<KeyPair> {
  const cert = await readFile(join(dir, `${name}.crt`), "utf8");
  const key = await readFile(join(dir, `${name}.key`), "utf8");
  checkPair({ cert, key });
  return { cert, key };
}

async function writePair(dir: string, name: string, { cert, key }: KeyPair): Promise<void> {
  const options = { mode: 0o600, flag: "wx", flush: true } as const;
  await writeFile(join(dir, `${name}.crt`), cert, options);
  await writeFile(join(dir, `${name}.key`), key, options);
}

/**
 * Checks that certificate and key belong together.
 * @throws Error without any of the key's text.
 */
export function checkPair({ cert, key }: KeyPair): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    // oxlint-disable-next-line preserve-caught-error -- OpenSSL's text says nothing to a person
    throw new Error("the certificate is not PEM");
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    // oxlint-disable-next-line preserve-caught-error -- it may quote the key
    throw new Error("the private key is not unencrypted PEM");
  }
  if (!matches) throw new Error("the private key does not belong to the certificate");
  return certificate;
}
