import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { CreateContainerFacts } from "./create-container.ts";

/** Where CSI drivers leave notes about volumes that the VM mounts itself; one directory per mount source. */
export const directVolumesDirectory = "/run/kata-containers/shared/direct-volumes";

const MAX_FILE_NAME = 255;

/** Looks sources up in a direct-volumes directory. One that cannot be read is an error, one that is missing holds none. */
export function createDirectVolumeFacts(directory: string = directVolumesDirectory): CreateContainerFacts {
  return {
    isDirectVolume: async (source, { signal }) => {
      signal.throwIfAborted();
      const name = urlSafeBase64(source);
      if (name.length > MAX_FILE_NAME) return false;
      try {
        return (await stat(join(directory, name))).isDirectory();
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    },
  };
}

/** With padding, unlike Node's `base64url`. */
function urlSafeBase64(text: string): string {
  return Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
