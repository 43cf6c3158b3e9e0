import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProvider } from "@peerpods/cloud-providers";
import {
  conformanceRules,
  conforms,
  reportMarkdown,
  runConformance,
  type ConformanceReport,
  type Rule,
} from "@peerpods/cloud-providers/conformance";
import { optionsWith, secretTexts } from "../daemon/all-options.ts";
import { createScrubber } from "../daemon/scrub.ts";
import { CommandError, causeLine } from "./command-error.ts";
import { accountTarget } from "./conformance/account-target.ts";
import type { CommandContext } from "./context.ts";
import { harmless, toJson } from "./output.ts";
import { providerConfig } from "./provider-config.ts";
import { providerProblem } from "./provider-problem.ts";
import { sweepClusters } from "./sweep.ts";

/** Options of `peerpods conformance`, as the command line gives them. */
export interface ConformanceCommand {
  readonly provider: string;
  /** Flags of the daemon for this provider. */
  readonly argv: readonly string[];
  /** The person knows that this costs money. */
  readonly yes: boolean;
  /** Ids of the rules to try; empty: all. */
  readonly rules: readonly string[];
}

/**
 * `peerpods conformance <provider>`: holds the provider, with the given configuration, against every rule of the contract, on
 * the real account. Ends with a sweep, also when it is interrupted; what the sweep finds counts as left behind.
 * @returns 0 when the provider keeps to the contract as far as it could be tried, else 1.
 */
export async function conformance(context: CommandContext, command: ConformanceCommand): Promise<number> {
  const { env } = context.providers;
  const { provider: name, argv } = command;
  const cloudProvider = await loadProvider(name, context.providers).catch(providerProblem);
  const scrub = createScrubber(secretTexts(optionsWith(cloudProvider), { argv, env }));
  const config = providerConfig(cloudProvider, { argv, env });
  const rules = chosenRules(command.rules);
  if (!command.yes) throw unconfirmed(name);
  const stateDir = await mkdtemp(join(tmpdir(), "peerpods-conformance-"));
  let keep = false;
  try {
    const account = await accountTarget(cloudProvider, { config, env, stateDir }).catch((error: unknown) => {
      throw new CommandError(scrub(`cannot connect: ${causeLine(error)}`), {
        remedy: `peerpods doctor ${name} says what is wrong with the configuration`,
      });
    });
    const tried = await runConformance(account.target, {
      rules,
      signal: context.signal,
      onResult: ({ id, status, reason }) =>
        void context.stderr.write(
          scrub(`${status.padEnd(11)} ${id}${reason === undefined ? "" : `: ${harmless(reason)}`}\n`),
        ),
    });
    const swept = await sweepClusters(account.connect, account.clusterIds);
    keep = swept.stayed.length > 0;
    const report: ConformanceReport = { ...tried, left: [...tried.left, ...swept.found] };
    context.stdout.write(scrub(context.json ? `${toJson(report)}\n` : harmless(reportMarkdown(report))));
    for (const line of swept.stayed) context.stderr.write(scrub(`still exists: ${harmless(line)}\n`));
    return conforms(report) && !context.signal.aborted ? 0 : 1;
  } finally {
    // What still exists may need the state to be deleted.
    if (!keep) await rm(stateDir, { recursive: true, force: true });
  }
}

function chosenRules(ids: readonly string[]): readonly Rule[] {
  if (ids.length === 0) return conformanceRules;
  const unknown = ids.filter((id) => !conformanceRules.some((rule) => rule.id === id));
  if (unknown.length > 0)
    throw new CommandError(`there is no rule ${unknown.join(", ")}`, {
      remedy: `choose from ${conformanceRules.map(({ id }) => id).join(", ")}`,
      exitCode: 2,
    });
  return conformanceRules.filter(({ id }) => ids.includes(id));
}

function unconfirmed(name: string): CommandError {
  return new CommandError(
    `this makes and deletes several dozen instances with provider ${name}, with the account that is configured, and costs what they cost`,
    {
      remedy: "say so with --yes, use an account of its own for it, and look into it afterwards",
      exitCode: 2,
    },
  );
}
