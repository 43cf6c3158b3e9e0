import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { flagsArgument, providerArgument } from "../arguments.ts";
import type { CommandContext } from "../context.ts";

const SCRIPT = "echo hello from a pod VM; hostname; ip -4 -o address show dev eth0; uname -r";

/** Adds `try` to the tool. */
export function defineTry(
  program: Command,
  { context, exit }: { readonly context: () => CommandContext; readonly exit: (code: number) => void },
): void {
  program
    .command("try")
    .summary("make one real pod VM with a provider, run a container in it, delete it")
    .description(
      "Makes one real pod VM with the provider's configuration, by a daemon of its own that needs no Kubernetes and disturbs " +
        "no other. Runs a container in it, tells what took how long, deletes it and asks the cloud whether anything is left.",
    )
    .usage("<provider> [--image <ref>] [--script <text>] [flags of cloud-api-adaptor <provider>]")
    .argument("<provider>", providerArgument)
    .argument("[flags...]", flagsArgument)
    .option("--image <reference>", "container image with a shell, pulled in the VM", "busybox")
    .option("--script <text>", "what its /bin/sh runs", SCRIPT)
    .allowUnknownOption()
    .addHelpText(
      "after",
      "\nExit codes: the container's; 1 when something was left; 2 wrong command line; 125 when the pod could not be run.",
    )
    .action(
      async (
        provider: string,
        argv: readonly string[],
        flags: { readonly image: string; readonly script: string },
      ) => {
        const { tryProvider } = await import("../try.ts");
        // npm's links to programs are followed: the daemon lies beside the real file.
        const programUrl = pathToFileURL(realpathSync(process.argv[1] ?? "")).href;
        exit(await tryProvider(context(), { provider, argv, ...flags, programUrl }));
      },
    );
}
