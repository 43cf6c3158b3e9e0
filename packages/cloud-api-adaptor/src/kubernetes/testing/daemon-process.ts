/** The daemon's program in a process that can be killed: cloud at `CLOUD_URL`, network and relay of its own in memory. */

import { createProviderRegistry } from "@peerpods/cloud-providers";
import { remoteCloud } from "../../../../peerpod-ctrl/src/testing/cloud-server.ts";
import { runProgram } from "../../daemon/program.ts";
import { World } from "../../sandbox/testing/world.ts";

const world = new World();
process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  signals: process,
  exitNow: (code) => process.exit(code),
  registry: createProviderRegistry([remoteCloud(process.env["CLOUD_URL"] ?? "")]),
  importPackage: (specifier) => import(specifier),
  ensureRelay: async () => world.relay,
  network: () => world.network,
});
