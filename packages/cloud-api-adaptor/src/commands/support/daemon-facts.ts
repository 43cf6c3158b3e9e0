import { loadOptions } from "@peerpods/cloud-providers";
import type {
  InfoResponse,
  OptionValue,
  Sandbox,
  Finding,
} from "../../gen/peerpods/control/v1/control_pb.ts";
import { daemonOptions } from "../../daemon/options.ts";
import { toSettings } from "../../daemon/settings.ts";
import type { DaemonSettings } from "../../daemon/settings.ts";
import { connectDaemon, type CommandContext } from "../context.ts";

/** What a running daemon tells of itself. */
export interface DaemonFacts {
  readonly info: InfoResponse;
  readonly options: readonly OptionValue[];
  readonly sandboxes: readonly Sandbox[];
  readonly log: string;
  readonly findings: readonly Finding[];
}

/** @throws CommandError when no daemon answers. */
export async function askDaemon(context: CommandContext): Promise<DaemonFacts> {
  await using daemon = await connectDaemon(context);
  const { control } = daemon;
  const call = { signal: context.signal, timeoutMs: 20_000 };
  const [info, { options }, { sandboxes }, { lines }] = await Promise.all([
    control.info({}, call),
    control.options({}, call),
    control.listSandboxes({}, call),
    control.recentLog({}, call),
  ]);
  const { findings } = await control.verifyProvider({}, { ...call, timeoutMs: 60_000 });
  return { info, options, sandboxes, log: lines.map((line) => `${line}\n`).join(""), findings };
}

/** The daemon's settings: of the running one, else what its environment here would make of them. */
export function settingsOf(
  facts: DaemonFacts | undefined,
  env: Readonly<Record<string, string | undefined>>,
): DaemonSettings {
  const given = (facts?.options ?? []).filter(({ ofProvider, value }) => !ofProvider && value !== "");
  const argv = given.map(({ flag, value }) => `-${flag}=${value}`);
  const loaded = loadOptions(daemonOptions, { argv, env: facts === undefined ? env : {} });
  if ("help" in loaded) throw new Error("unreachable: no help was asked for");
  return toSettings(loaded.values, { inKubernetes: (env["KUBERNETES_SERVICE_HOST"] ?? "") !== "" });
}
