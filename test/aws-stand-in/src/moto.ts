import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildOnce, freePort, startProcess, until } from "@peerpods/test-harness";
import { execa } from "execa";
import { Ec2Error } from "./ec2-error.ts";
import type { Query } from "./query.ts";

const MOTO_VERSION = "5.2.5";

/** Why moto cannot run here, or `undefined` when it can. Fits vitest's `skip` notes. */
export async function missingMoto(): Promise<string | undefined> {
  const { exitCode } = await execa("python3", ["-c", "import venv, ensurepip"], { reject: false });
  if (exitCode !== 0)
    return "needs Python 3 with its venv module: install python3 and python3-venv to run these tests";
  return await installMoto().then(
    () => undefined,
    (error: unknown) =>
      `needs moto ${MOTO_VERSION}, which cannot be installed: ${(error as Error).message.split("\n")[0]}`,
  );
}

async function installMoto(): Promise<string> {
  const { stdout: python } = await execa("python3", [
    "-c",
    "import sys; print('%d.%d' % sys.version_info[:2])",
  ]);
  return await buildOnce(`moto-${MOTO_VERSION}-python${python}`, async (directory) => {
    await execa("python3", ["-m", "venv", directory]);
    await execa(join(directory, "bin/python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      `moto[server,ec2]==${MOTO_VERSION}`,
    ]);
  });
}

/** moto on loopback. */
export interface Moto extends AsyncDisposable {
  /** Makes a call of the EC2 API. @throws Ec2Error what moto answers. */
  call(action: string, parameters?: Query): Promise<string>;
  /** Forgets everything. */
  reset(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const directory = await installMoto();
  const scratch = await mkdtemp(join(tmpdir(), "peerpods-moto-"));
  const port = await freePort();
  const logFile = join(scratch, "moto.log");
  // By module, not by script: the scripts of a virtual environment hold the path it was made in.
  const server = await startProcess(
    join(directory, "bin/python"),
    ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)],
    {
      logFile,
      env: {
        MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "true",
        MOTO_ENABLE_AMI_VALIDATION: "true",
        MOTO_ENABLE_KEYPAIR_VALIDATION: "true",
      },
    },
  );
  const origin = `http://127.0.0.1:${port}`;
  const dispose = async () => {
    await server.stop();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await until("moto answers", async () => (await fetch(`${origin}/moto-api/data.json`)).ok);
  } catch (error) {
    const log = await readFile(logFile, "utf8").catch(() => "");
    await dispose();
    throw new Error(`moto does not start: ${log.slice(-2_000)}`, { cause: error });
  }
  return {
    call: (action, parameters = {}) =>
      callMoto(origin, { Action: action, Version: "2016-11-15", ...parameters }),
    async reset() {
      await fetch(`${origin}/moto-api/reset`, { method: "POST" });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** moto takes the region from here and looks at nothing else. */
const authorization =
  "AWS4-HMAC-SHA256 Credential=AKIAMOTO/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0";

async function callMoto(origin: string, query: Query): Promise<string> {
  const response = await fetch(origin, {
    method: "POST",
    headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(query).toString(),
  });
  const text = await response.text();
  if (response.ok) return text;
  const [, code = "InternalError"] = /<Code>([^<]*)<\/Code>/.exec(text) ?? [];
  const [, message = text.slice(0, 200)] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
  throw new Ec2Error(code, message, response.status);
}
