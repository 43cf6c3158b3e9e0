import { randomBytes } from "node:crypto";
import type { Client } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import { asShim, deadlinesMs } from "./agent-calls.ts";

const CHUNK_BYTES = 1 << 20;
const REGULAR_0644 = 0o100644;
/** 0750 with Go's directory bit, not POSIX: the shim sends Go's os.FileMode here. */
const GO_DIRECTORY_0750 = 0x8000_01e8;

/** A file of the pod, as it is to appear in a container. */
export interface PodFile {
  /** Path in the container, e.g. `/etc/hosts`. */
  readonly destination: string;
  readonly content: Uint8Array;
}

/** A file that the guest has. */
export interface CopiedFile {
  readonly destination: string;
  readonly guestPath: string;
}

/** Sends a file to the guest in chunks of at most 1 MiB, one after the other; an empty file is one call. */
export async function copyFile(
  agent: Client<typeof AgentService>,
  file: PodFile,
  { ownerId, signal }: { ownerId: string; signal: AbortSignal },
): Promise<CopiedFile> {
  const base = file.destination.slice(file.destination.lastIndexOf("/") + 1);
  const guestPath = `/run/kata-containers/shared/containers/${ownerId}-${randomBytes(8).toString("hex")}-${base}`;
  for (let offset = 0; offset === 0 || offset < file.content.length; offset += CHUNK_BYTES) {
    await agent.copyFile(
      {
        path: guestPath,
        fileSize: BigInt(file.content.length),
        fileMode: REGULAR_0644,
        dirMode: GO_DIRECTORY_0750,
        offset: BigInt(offset),
        data: file.content.subarray(offset, offset + CHUNK_BYTES),
      },
      asShim(deadlinesMs.agent, signal),
    );
  }
  return { destination: file.destination, guestPath };
}
