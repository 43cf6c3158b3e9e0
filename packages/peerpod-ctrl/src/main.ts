#!/usr/bin/env node
/** The program `peerpod-ctrl`: knows what there is, runs it, tells the exit code. */

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { builtinProviders } from "./builtin-providers.ts";
import { keepHeapSmall } from "./manager/heap.ts";
import { runProgram } from "./manager/program.ts";

const podNamespace = await readFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "utf8").catch(
  () => "",
);

keepHeapSmall();

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  terminal: process.stderr.isTTY,
  signals: process,
  exitNow: (code) => process.exit(code),
  registry: builtinProviders(),
  importPackage: (specifier) => import(specifier),
  hostname: hostname(),
  podNamespace: podNamespace.trim(),
});
