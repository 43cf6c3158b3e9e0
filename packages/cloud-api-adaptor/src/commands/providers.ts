import { loadProvider, pluginEnv } from "@peerpods/cloud-providers";
import { basename } from "node:path";
import { causeLine } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { writeJson } from "./output.ts";
import { table } from "./table.ts";

/** One provider that could be named on the daemon's command line. */
interface ProviderRow {
  readonly name: string;
  readonly from: "built in" | "installed" | "plug-in";
  readonly summary: string;
  readonly contractVersion: string;
  /** Why it cannot be used; empty when it can. */
  readonly error: string;
}

/** `peerpods providers`: those that are built in, those whose package is installed, and the plug-in file that is switched on. */
export async function providers(context: CommandContext): Promise<void> {
  const rows = await listProviders(context);
  if (context.json) return writeJson(context.stdout, rows);
  context.stdout.write(
    table([
      ["PROVIDER", "FROM", "CONTRACT", "WHAT IT IS"],
      ...rows.map(({ name, from, contractVersion, summary, error }) => [
        name,
        from,
        contractVersion,
        error === "" ? summary : `cannot be used: ${error}`,
      ]),
    ]),
  );
}

async function listProviders({ providers }: CommandContext): Promise<readonly ProviderRow[]> {
  const { registry, env } = providers;
  const builtIn = registry.names();
  const installed = (await providers.installed()).filter((name) => !builtIn.includes(name));
  const plugin = env[pluginEnv.enable] === "true" ? [basename(env[pluginEnv.path] ?? "", ".mjs")] : [];
  const load = async (name: string, from: ProviderRow["from"]): Promise<ProviderRow> => {
    try {
      // The plug-in variables replace whatever is asked for, so they count only for the plug-in itself.
      const sources = from === "plug-in" ? providers : { ...providers, env: {} };
      const { summary, contractVersion } = await loadProvider(name, sources);
      return { name, from, summary, contractVersion, error: "" };
    } catch (error) {
      return { name, from, summary: "", contractVersion: "", error: causeLine(error) };
    }
  };
  return await Promise.all([
    ...builtIn.map((name) => load(name, "built in")),
    ...installed.map((name) => load(name, "installed")),
    ...plugin.map((name) => load(name, "plug-in")),
  ]);
}
