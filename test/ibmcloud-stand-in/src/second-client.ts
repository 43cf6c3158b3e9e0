import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { buildOnce } from "@peerpods/test-harness";
import { execa } from "execa";

const VPC_SDK = "ibm-vpc==0.36.0";
const PLATFORM_SDK = "ibm-platform-services==0.77.1";

/** Why the official Python SDK cannot run here, or `undefined` when it can. Fits vitest's `skip` notes. */
export async function missingPythonSdk(): Promise<string | undefined> {
  const { exitCode } = await execa("python3", ["-c", "import venv, ensurepip"], { reject: false });
  if (exitCode !== 0)
    return "needs Python 3 with its venv module: install python3 and python3-venv to run these tests";
  return await installSdk().then(
    () => undefined,
    (error: unknown) =>
      `needs ${VPC_SDK}, which cannot be installed: ${(error as Error).message.split("\n")[0]}`,
  );
}

/** Runs `python/second_client.py` with this input and gives what it saw. @throws what the SDK throws, with its trace. */
export async function runSecondClient(input: object): Promise<Readonly<Record<string, unknown>>> {
  const directory = await installSdk();
  const script = fileURLToPath(new URL("../python/second_client.py", import.meta.url));
  const { stdout } = await execa(join(directory, "bin/python"), [script], {
    input: JSON.stringify(input),
    timeout: 120_000,
  });
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

async function installSdk(): Promise<string> {
  const { stdout: python } = await execa("python3", [
    "-c",
    "import sys; print('%d.%d' % sys.version_info[:2])",
  ]);
  const key = `${VPC_SDK}-${PLATFORM_SDK}-python${python}`.replaceAll("==", "-");
  return await buildOnce(key, async (directory) => {
    await execa("python3", ["-m", "venv", directory]);
    await execa(join(directory, "bin/python"), ["-m", "pip", "install", "--quiet", VPC_SDK, PLATFORM_SDK]);
  });
}
