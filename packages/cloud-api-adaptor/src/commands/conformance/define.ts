import type { Command } from "commander";
import { flagsArgument, providerArgument } from "../arguments.ts";
import type { CommandContext } from "../context.ts";

/** Adds `conformance` to the tool. */
export function defineConformance(
  program: Command,
  { context, exit }: { readonly context: () => CommandContext; readonly exit: (code: number) => void },
): void {
  program
    .command("conformance")
    .summary("hold a provider against the contract, on its real account")
    .description(
      "Tries every rule of the provider contract with the given configuration. Makes and deletes several dozen instances, " +
        "which costs money on a real cloud. Sweeps at the end. The report is Markdown, with --json JSON; progress is on " +
        "standard error.",
    )
    .usage("<provider> --yes [--rule <id>] [flags of cloud-api-adaptor <provider>]")
    .argument("<provider>", providerArgument)
    .argument("[flags...]", flagsArgument)
    .option("--yes", "make instances, whatever they cost", false)
    .option(
      "--rule <id>",
      "only this rule, repeatable",
      (id: string, before: readonly string[]) => [...before, id],
      [],
    )
    .allowUnknownOption()
    .addHelpText(
      "after",
      "\nExit codes: 0 it conforms, 1 it does not or was interrupted, 2 wrong command line.",
    )
    .action(
      async (
        provider: string,
        argv: readonly string[],
        { yes, rule }: { readonly yes: boolean; readonly rule: readonly string[] },
      ) => {
        const { conformance } = await import("../conformance.ts");
        exit(await conformance(context(), { provider, argv, yes, rules: rule }));
      },
    );
}
