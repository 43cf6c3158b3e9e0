import { Command, Help, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CONTROL_SOCKET } from "../control/protocol.ts";
import { packageVersion as version } from "../release.ts";
import { completeProviders } from "./completion.ts";
import { defineConformance } from "./conformance/define.ts";
import type { CommandContext } from "./context.ts";
import { flagsArgument, providerArgument } from "./arguments.ts";
import { optionFormats, type OptionFormat } from "./options.ts";
import { defineRun } from "./run/define.ts";
import { defineTry } from "./try/define.ts";

/** What the tool is built from: all of a command's context but what its flags say. */
export interface ToolParts {
  readonly base: Omit<CommandContext, "controlSocket" | "json">;
  /** Called with the exit code of a command that has one of its own. */
  readonly exit: (code: number) => void;
}

/** Exit code of a wrong command line. */
export const USAGE_ERROR = 2;

const exitCodes = `
Exit codes: 0 done; 1 failed, or doctor found errors; 2 wrong command line;
            of run: the container's, 125 when the pod could not be run.
With --json results go to standard output as JSON, and errors to standard error as {"error": {...}}.`;

/** Defaults that say nothing are left out of the help. */
function optionDescription(this: Help, option: Option): string {
  const says = ![false, ""].includes(option.defaultValue as string) && String(option.defaultValue) !== "";
  return says ? Help.prototype.optionDescription.call(this, option) : option.description;
}

/** The command tree: names, flags and help. What a command does is in its own file, loaded when it is used. */
export function createTool({ base, exit }: ToolParts): Command {
  const { env } = base.providers;
  const program = new Command("peerpods")
    .description("Look at the peer pods of this node, run a container in one, and find out what is wrong.")
    .version(version)
    .option(
      "--control-socket <path>",
      "control socket of the daemon (env PEERPODS_CONTROL_SOCKET)",
      env["PEERPODS_CONTROL_SOCKET"] || DEFAULT_CONTROL_SOCKET,
    )
    .option("--json", "machine-readable output", false)
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true, optionDescription })
    .showHelpAfterError("(peerpods --help shows what there is)")
    .addHelpText("after", exitCodes);
  const context = (): CommandContext => ({
    ...base,
    ...program.opts<{ controlSocket: string; json: boolean }>(),
  });

  defineRun(program, { context, exit });
  program
    .command("ps")
    .summary("list the sandboxes of this node")
    .description(
      "Lists the sandboxes of this node: phase, age, instance, and whether the agent is connected.",
    )
    .action(async () => (await import("./ps.ts")).ps(context()));
  program
    .command("top")
    .summary("watch sandboxes, phases and traffic")
    .description(
      "Watches sandboxes, phases and traffic until Ctrl-C; prints one frame where there is no terminal.",
    )
    .addOption(
      new Option("--interval <seconds>", "time between two frames").argParser(seconds).default(1_000, "1"),
    )
    .option("--once", "one frame", false)
    .action(async (flags: { interval: number; once: boolean }) =>
      (await import("./top.ts")).top(context(), flags),
    );
  program
    .command("logs")
    .summary("show what the guest of a pod has written, also of a failed start")
    .description(
      "Shows what the guest of a pod has written: the console, and a log of each guest program. Of the latest twenty starts " +
        "that failed they are kept.",
    )
    .argument("<pod>", "pod name, namespace/name, or the beginning of a sandbox id")
    .option("--bytes <number>", "so much of the end of each log", count(1, 524_288), 65_536)
    .option("--program <name>", "only this one, e.g. console")
    .action(async (pod: string, flags: { bytes: number; program?: string }) =>
      (await import("./logs.ts")).logs(context(), { pod, ...flags }),
    );
  program
    .command("providers")
    .summary("list the cloud providers that the daemon can use")
    .description(
      "Lists the cloud providers that the daemon can use: those built in, and packages beside the program.",
    )
    .action(async () => (await import("./providers.ts")).providers(context()));
  program
    .command("options")
    .summary("list what can be set for a provider")
    .description("Lists what can be set for a provider: flag, environment variable, type, default, meaning.")
    .argument("<provider>", providerArgument)
    .addOption(
      new Option("-o, --output <format>", "form of the list").choices(optionFormats).default("table"),
    )
    .option("--daemon", "with the daemon's own options", false)
    .action(async (provider: string, flags: { output: OptionFormat; daemon: boolean }) =>
      (await import("./options.ts")).options(context(), { provider, ...flags }),
    );
  defineDoctor(program, { context, exit });
  defineTry(program, { context, exit });
  defineConformance(program, { context, exit });
  program
    .command("support-bundle")
    .summary("gather what helps to find a fault into one archive, without secrets")
    .description(
      "Gathers what helps to find a fault into one archive: versions, options, sandboxes, journal, logs, links and rules. " +
        "Secrets are removed; look through it before you pass it on.",
    )
    .option("-o, --output <file>", "archive to write (default: peerpods-support-<time>.tar.gz)")
    .action(async (flags: { output?: string }) =>
      (await import("./support-bundle.ts")).supportBundle(context(), flags),
    );
  completeProviders(program, base.providers.registry.names());
  return program;
}

function defineDoctor(
  program: Command,
  { context, exit }: { readonly context: () => CommandContext; readonly exit: (code: number) => void },
): void {
  program
    .command("doctor")
    .summary("check what a provider needs on this node, before anything runs")
    .description(
      "Checks kernel features, programs, privileges, network, limits, clock and disk of this node, and lets the provider " +
        "check its own configuration. Says what is missing and what to do about it; changes nothing.",
    )
    .usage("<provider> [flags of cloud-api-adaptor <provider>]")
    .argument("<provider>", providerArgument)
    .argument("[flags...]", flagsArgument)
    .allowUnknownOption()
    .addHelpText("after", "\nExit codes: 0 nothing or only warnings, 1 errors, 2 wrong command line.")
    .action(async (provider: string, argv: readonly string[]) => {
      const { doctor } = await import("./doctor.ts");
      exit(await doctor(context(), { provider, argv }));
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.1 || value > 3600)
    throw new InvalidArgumentError("It must be a number of seconds from 0.1 to 3600.");
  return value * 1000;
}

function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}
