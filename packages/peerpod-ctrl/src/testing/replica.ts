/** The program with one provider: `fake`, whose cloud is the test that `CLOUD_URL` leads to. */

import { hostname } from "node:os";
import {
  CONTRACT_VERSION,
  createProviderRegistry,
  ProviderError,
  type CloudProvider,
  type Provider,
  type ProviderErrorCode,
} from "@peerpods/cloud-providers";
import { runProgram } from "../manager/program.ts";

const fake: CloudProvider = {
  name: "fake",
  contractVersion: CONTRACT_VERSION,
  summary: "the cloud of a test",
  options: [],
  newProvider: ({ env }) => Promise.resolve(remote(env["CLOUD_URL"] ?? "")),
};

function remote(url: string): Provider {
  return {
    async deleteInstance(request, { signal }) {
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(request), signal });
      const body = (await answer.json()) as { code: ProviderErrorCode; message: string };
      if (!answer.ok) throw new ProviderError(body.code, body.message);
    },
    createInstance: () => Promise.reject(new ProviderError("invalid_request", "not here")),
    configVerifier: () => Promise.resolve([]),
    teardown: () => Promise.resolve(),
  };
}

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  terminal: process.stderr.isTTY,
  signals: process,
  exitNow: (code) => process.exit(code),
  registry: createProviderRegistry([fake]),
  importPackage: (specifier) => import(specifier),
  hostname: hostname(),
  podNamespace: "",
});
