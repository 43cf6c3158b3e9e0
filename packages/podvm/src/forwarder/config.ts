import { open } from "node:fs/promises";
import { MAX_APF_BYTES, parseApfConfig } from "@peerpods/podvm-contract";
import type { ApfConfig } from "@peerpods/podvm-contract";
import { ForwarderError } from "./errors.ts";

/**
 * Loads `apf.json`.
 * @throws ForwarderError `config`
 */
export async function loadApfConfig(path: string): Promise<ApfConfig> {
  let bytes: Buffer;
  try {
    bytes = await readAtMost(path, MAX_APF_BYTES + 1);
  } catch (error) {
    throw new ForwarderError("config", `failed to open ${path}: ${reasonOf(error)}`, { cause: error });
  }
  try {
    return parseApfConfig(bytes);
  } catch (error) {
    throw new ForwarderError("config", `failed to decode ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

async function readAtMost(path: string, limit: number): Promise<Buffer> {
  await using file = await open(path, "r");
  const buffer = Buffer.allocUnsafe(limit);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, limit - length);
    length += bytesRead;
    if (bytesRead === 0 || length === limit) return buffer.subarray(0, length);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
