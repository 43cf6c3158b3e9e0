import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { VolumeCall } from "./cloud-volumes.ts";
import type { RunProgram } from "./run-program.ts";

const luksMagic = Buffer.from([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]);
const attempts = 3;

/** How a disk is looked at. */
export interface DiskContentContext {
  readonly run: RunProgram;
  readonly retryDelayMs: number;
}

/**
 * Whether there is nothing on a disk, as blkid sees it: it answers 2 then. Anything unclear is not empty.
 * @throws ConnectError INTERNAL when it cannot be told
 */
export async function isEmptyDisk(
  device: string,
  { run, retryDelayMs }: DiskContentContext,
  call: VolumeCall,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const { exitCode, stdout, stderr } = await run("blkid", ["-p", device], call);
    if (exitCode === 0 && stdout.trim() !== "") return false;
    if (exitCode === 2) return true;
    if (attempt === attempts) {
      throw new ConnectError(`blkid ${device} failed, not formatting: ${stderr.trim()}`, Code.Internal);
    }
    await delay(retryDelayMs, undefined, { signal: call.signal });
  }
}

/** Whether a disk begins as LUKS, of either version. */
export async function isLuksDisk(device: string): Promise<boolean> {
  await using file = await open(device, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(luksMagic.length), 0, luksMagic.length, 0);
  return bytesRead === luksMagic.length && buffer.equals(luksMagic);
}
