/** The program with one provider: `fake`, whose cloud is the test that `CLOUD_URL` leads to, of the process or of the configuration. */

import { hostname } from "node:os";
import { createProviderRegistry } from "@peerpods/cloud-providers";
import { keepHeapSmall } from "../manager/heap.ts";
import { runProgram } from "../manager/program.ts";
import { remoteCloud } from "./cloud-server.ts";

keepHeapSmall();

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  signals: process,
  exitNow: (code) => process.exit(code),
  registry: createProviderRegistry([remoteCloud(process.env["CLOUD_URL"])]),
  importPackage: (specifier) => import(specifier),
  hostname: hostname(),
  podNamespace: "",
  terminal: false,
});
