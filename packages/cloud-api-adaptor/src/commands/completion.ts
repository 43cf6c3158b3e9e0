import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";

/** Commands whose first argument is a provider. */
const takeProvider = ["conformance", "doctor", "options", "try"] as const;

const ownDescription = "print the completion script of a shell: bash, zsh, fish or powershell";

/**
 * Adds `completion <shell>`, which prints the shell's script, and the hidden command that the script asks. Commands, flags
 * and their choices come from the command tree itself, so it is called last.
 */
export function completeProviders(program: Command, providers: readonly string[]): void {
  const root = tab(program, { completionCommandName: "completion" });
  program.commands.find((command) => command.name() === "completion")?.description(ownDescription);
  for (const name of takeProvider) {
    root.commands.get(name)?.argument("provider", (complete) => {
      for (const provider of providers) complete(provider, "cloud provider");
    });
  }
}
