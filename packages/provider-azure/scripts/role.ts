/** Writes the definition of the role that this provider's identity needs. */
import { writeFile } from "node:fs/promises";
import { roleDefinition } from "../src/role.ts";

const file = new URL("../deploy/role.json", import.meta.url);
// A list of one stands in one line, as the formatter wants it.
const text = JSON.stringify(roleDefinition(), null, 2).replaceAll(/\[\s+("[^"]*")\s+\]/g, "[$1]");
await writeFile(file, `${text}\n`);
