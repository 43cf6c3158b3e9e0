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
import { causeLine } from "../command-error.ts";
import { connectDaemon, type CommandContext } from "../context.ts";

/** What a running daemon tells of itself. */
export interface DaemonFacts {
  readonly info: InfoResponse;
  readonly sandboxes: readonly Sandbox[];
  /** Empty from a daemon of protocol 1, which does not tell; so are the next two. */
  readonly options: readonly OptionValue[];
  readonly log: string;
  /** What its provider finds, or why it could not look. */
  readonly findings: readonly Finding[] | string;
}

/** First version of the control protocol that tells options, log and findings. */
const TELLS_MORE = 2;

/** @throws CommandError when no daemon answers. */
export async function askDaemon(context: CommandContext): Promise<DaemonFacts> {
  await using daemon = await connectDaemon(context);
  const { control } = daemon;
  const call = { signal: context.signal, timeoutMs: 20_000 };
  const [info, { sandboxes }] = await Promise.all([control.info({}, call), control.listSandboxes({}, call)]);
  if (info.protocol < TELLS_MORE) return { info, sandboxes, options: [], log: "", findings: [] };
  const [{ options }, { lines }, findings] = await Promise.all([
    control.options({}, call),
    control.recentLog({}, call),
    control.verifyProvider({}, { ...call, timeoutMs: 60_000 }).then(
      (answer) => answer.findings,
      (error: unknown) => causeLine(error),
    ),
  ]);
  return { info, options, sandboxes, log: lines.map((line) => `${line}\n`).join(""), findings };
}

/** The daemon's settings: of the running one if it tells them, else what the environment here would make of them. */
export function settingsOf(
  facts: DaemonFacts | undefined,
  env: Readonly<Record<string, string | undefined>>,
): DaemonSettings {
  const given = (facts?.options ?? []).filter(({ ofProvider, value }) => !ofProvider && value !== "");
  const argv = given.map(({ flag, value }) => `-${flag}=${value}`);
  const loaded = loadOptions(daemonOptions, { argv, env: given.length === 0 ? env : {} });
  if ("help" in loaded) throw new Error("unreachable: no help was asked for");
  return toSettings(loaded.values, { inKubernetes: (env["KUBERNETES_SERVICE_HOST"] ?? "") !== "" });
}
