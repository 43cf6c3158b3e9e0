/**
 * Writes the chart's values file of each provider from its option spec, and of the daemon's own options:
 * node -C @peerpods/source scripts/provider-values.ts
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { optionsHelmValues, type CloudProvider } from "../packages/cloud-providers/src/index.ts";
import { optionsWith } from "../packages/cloud-api-adaptor/src/daemon/all-options.ts";

const packages = join(import.meta.dirname, "../packages");
export const valuesDirectory = join(packages, "peerpod-ctrl/deploy/charts/peerpods/providers");

/** Set by the chart itself, or by values of their own. */
const notHere = new Set([
  "socket",
  "pods-dir",
  "pause-image",
  "tls-min-version",
  "tls-cipher-suites",
  "peerpods-limit-per-node",
  "state-dir",
  "control-socket",
  "relay-socket",
  "relay-launch",
  "cluster-id",
  "node-name",
  "pod-uid",
  "kubeconfig",
  "probe-port",
]);

/** What a provider needs besides its options. */
const besides: Readonly<Record<string, string>> = {
  local: [
    "# Its VMs are processes of the node, in namespaces that it makes.",
    "daemonset:",
    "  hostPID: true",
    "  privileged: true",
    "",
  ].join("\n"),
};

/** The values files by name, as they should be. */
export async function providerValues(): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(packages)).filter((name) => name.startsWith("provider-"));
  const files = await Promise.all(
    names.map(async (name) => {
      const { provider } = (await import(`../packages/${name}/src/index.ts`)) as { provider: CloudProvider };
      return [`${provider.name}.yaml`, valuesText(provider)] as const;
    }),
  );
  return Object.fromEntries(files);
}

/** @throws Error when the provider has taken the name of an option of the daemon. */
function valuesText(provider: CloudProvider): string {
  const { name, options } = provider;
  const common = optionsWith(provider)
    .slice(0, -options.length)
    .filter(({ flag, env }) => env !== undefined && !notHere.has(flag));
  return [
    `# Values of provider ${name}. Copy what you change into a file of your own and give that.`,
    "# Generated from the options of the provider and of the daemon by scripts/provider-values.ts; do not edit.",
    optionsHelmValues(name, [...options, ...common]),
    ...(besides[name] === undefined ? [] : [besides[name]]),
  ].join("\n");
}

if (import.meta.main) {
  await mkdir(valuesDirectory, { recursive: true });
  for (const [file, text] of Object.entries(await providerValues()))
    await writeFile(join(valuesDirectory, file), text);
}
