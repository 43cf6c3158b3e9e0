import { open } from "node:fs/promises";
import type { Spec } from "@peerpods/kata-protocols/oci";
import { internal, invalidArgument } from "../errors.ts";

const pathAnnotation = "io.kubernetes.container.terminationMessagePath";
/** Kubernetes shows no more than this of a termination message. */
const MAX_BYTES = 12 * 1024;

/**
 * What a container has written to its termination log: the source of the mount at the path that its annotation names.
 * @throws ConnectError INVALID_ARGUMENT for another kind of data, INTERNAL when the container has no such mount.
 */
export async function readTerminationLog(logType: string, spec: Spec): Promise<string> {
  if (logType !== "termination_log")
    throw invalidArgument(`log type ${JSON.stringify(logType)} is not supported, only "termination_log"`);
  const path = spec.Annotations[pathAnnotation] ?? "";
  const source = spec.Mounts.find((mount) => mount.destination === path)?.source;
  if (source === undefined) throw internal(`termination message mount not found for ${path}`);
  await using file = await open(source);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
  return buffer.subarray(0, bytesRead).toString();
}
