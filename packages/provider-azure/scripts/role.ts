/** Writes the definition of the role that this provider's identity needs. */
import { writeFile } from "node:fs/promises";
import { roleDefinition } from "../src/role.ts";

const file = new URL("../deploy/role.json", import.meta.url);
await writeFile(file, `${JSON.stringify(roleDefinition(), null, 2)}\n`);
