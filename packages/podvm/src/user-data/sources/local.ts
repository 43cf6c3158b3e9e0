import { access } from "node:fs/promises";
import { join } from "node:path";
import { guestPaths } from "@peerpods/podvm-contract";
import { UserDataError } from "../errors.ts";
import { readLimited } from "./read-limited.ts";
import type { UserDataSource } from "./source.ts";

/** User data as a file that is there already: put there by the image's units, or by the owner of the machine. */
export function localSource(root: string): UserDataSource {
  const path = join(root, guestPaths.userData);
  return {
    name: "local",
    async detect() {
      return access(path).then(
        () => true,
        () => false,
      );
    },
    async read() {
      try {
        return await readLimited(path);
      } catch (error) {
        throw new UserDataError("unavailable", `cannot read ${path}`, { cause: error });
      }
    },
  };
}
