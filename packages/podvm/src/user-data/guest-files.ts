import { posix } from "node:path";
import {
  DEFAULT_INITDATA_TOML,
  decodeInitdata,
  encodeInitdata,
  guestPaths,
  initdataPaths,
  parseApfConfig,
  userDataPaths,
} from "@peerpods/podvm-contract";
import type { CloudConfigFile } from "./cloud-config.ts";
import { UserDataError } from "./errors.ts";

/** Everything that will be written, by path, and what was left out. */
export interface GuestFiles {
  readonly files: ReadonlyMap<string, string>;
  /** Paths of the user data that are not on the allow-list. */
  readonly skippedPaths: readonly string[];
  /** Names in the initdata that are not on the allow-list; its digest covers them. */
  readonly skippedInitdata: readonly string[];
  /** Lower-case hex. */
  readonly initdataDigest: string;
}

/** What is there besides the user data. */
export interface GuestFacts {
  /** Initdata that the image or an earlier run left, if any. */
  readonly initdata?: string | undefined;
  readonly hasAttestationAgentConfig?: boolean;
}

/**
 * Decides which files a guest gets, without touching anything: allow-listed files of the user data, then those of the
 * initdata (which wins, since it is measured), and the initdata's digest. Without initdata the fixed default is used. The
 * attestation agent's configuration always exists afterwards, if only empty: its existence is what starts the agent.
 * @throws UserDataError `invalid_file` when `apf.json` or the initdata cannot be used.
 */
export function planGuestFiles(userData: readonly CloudConfigFile[], facts: GuestFacts = {}): GuestFiles {
  const files = new Map<string, string>();
  const skippedPaths: string[] = [];
  for (const { path, content } of userData) {
    if (userDataPaths.includes(path)) files.set(path, content);
    else skippedPaths.push(path);
  }
  checkApfConfig(files.get(guestPaths.apfConfig));

  const encoded = files.get(guestPaths.initdata) ?? facts.initdata ?? encodeInitdata(DEFAULT_INITDATA_TOML);
  files.set(guestPaths.initdata, encoded);
  const initdata = decode(encoded);
  const skippedInitdata: string[] = [];
  for (const [name, content] of initdata.data) {
    const path = posix.join(guestPaths.configDirectory, name);
    if (initdataPaths.includes(path)) files.set(path, content);
    else skippedInitdata.push(name);
  }
  const { attestationAgentConfig } = guestPaths;
  if (!files.has(attestationAgentConfig) && !facts.hasAttestationAgentConfig)
    files.set(attestationAgentConfig, "");
  files.set(guestPaths.initdataDigest, initdata.digest);
  return { files, skippedPaths, skippedInitdata, initdataDigest: initdata.digest };
}

function checkApfConfig(text: string | undefined): void {
  if (text === undefined) return;
  try {
    parseApfConfig(text);
  } catch (error) {
    throw invalidFile(guestPaths.apfConfig, error);
  }
}

function decode(encoded: string) {
  try {
    return decodeInitdata(encoded);
  } catch (error) {
    throw invalidFile(guestPaths.initdata, error);
  }
}

function invalidFile(path: string, error: unknown): UserDataError {
  const reason = error instanceof Error ? error.message : "unknown";
  return new UserDataError("invalid_file", `${path}: ${reason}`, { cause: error });
}
