#!/usr/bin/env node
/** `npm create @peerpods/provider <name> [directory]` */

import { resolve } from "node:path";
import { scaffold } from "./scaffold.ts";

const [name = "", directory = `provider-${name}`, ...more] = process.argv.slice(2);
try {
  if (name === "" || name.startsWith("-") || more.length > 0)
    throw new Error("usage: npm create @peerpods/provider <name> [directory]");
  const files = await scaffold({ name, dir: resolve(directory) });
  process.stdout.write(
    `wrote ${files.length} files to ${directory}\n` +
      `next: npm install && npm test there, then put the cloud's SDK into src/client.ts\n`,
  );
} catch (error) {
  process.stderr.write(`create-provider: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
