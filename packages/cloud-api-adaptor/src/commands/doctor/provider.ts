import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectProvider, isProviderError, silentLogger } from "@peerpods/cloud-providers";
import type { CloudProvider, Finding, OptionValues } from "@peerpods/cloud-providers";
import { causeLine } from "../command-error.ts";
import { finding, type Check } from "./check.ts";

const TIMEOUT_MS = 60_000;

/** Connects the provider as the daemon would, and lets it check its own configuration. */
export function providerCheck(
  cloudProvider: CloudProvider,
  {
    config,
    env,
  }: { readonly config: OptionValues; readonly env: Readonly<Record<string, string | undefined>> },
): Check {
  return {
    area: `provider ${cloudProvider.name}`,
    async run({ host, settings, signal }) {
      await using stack = new AsyncDisposableStack();
      const own = join(settings.stateDir, "providers", cloudProvider.name);
      const stateDir = (await host.exists(own)) ? own : await scratchDirectory(stack);
      try {
        const provider = await connectProvider(cloudProvider, {
          config,
          logger: silentLogger,
          stateDir,
          env,
        });
        stack.defer(() => provider.teardown());
        return await provider.configVerifier({
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
          deadline: Date.now() + TIMEOUT_MS,
          logger: silentLogger,
        });
      } catch (error) {
        signal.throwIfAborted();
        return [cannotConnect(error)];
      }
    },
  };
}

async function scratchDirectory(stack: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "peerpods-doctor-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const remedies: Readonly<Partial<Record<string, string>>> = {
  invalid_config: "correct the option; peerpods options <provider> lists them all",
  unauthorized: "check the credentials in the environment, and what they are allowed to do",
  unavailable: "check the way to the cloud's API: DNS, proxy, firewall",
  timeout: "check the way to the cloud's API: DNS, proxy, firewall",
};

function cannotConnect(error: unknown): Finding {
  const code = isProviderError(error) ? error.code : "internal";
  return finding("error", code, {
    message: causeLine(error),
    remedy: remedies[code] ?? "see the message",
  });
}
