import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../context.ts";
import type { RunOptions } from "../run.ts";

/** Flags of `run` as commander names them. */
type RunFlags = Omit<RunOptions, "image" | "command" | "podVMImage"> & { readonly podVmImage: string };

/** Adds `run` to the tool. */
export function defineRun(
  program: Command,
  { context, exit }: { readonly context: () => CommandContext; readonly exit: (code: number) => void },
): void {
  program
    .command("run")
    .summary("run a container in a pod VM of its own")
    .description(
      "Runs a container in a pod VM of its own, with the calls that the kata shim makes. Its output and exit code are passed " +
        "on, and signals go to it; the third SIGINT or SIGTERM gives up. Whatever happens, the pod is stopped at the end.",
    )
    .argument("<image>", "image reference, pulled inside the VM")
    .argument("[command...]", "command and arguments, after --")
    .option(
      "--netns <path>",
      "network namespace that a CNI has prepared (default: one is made and removed again)",
    )
    .option("--name <name>", "pod name (default: run-<random>)")
    .option("--namespace <name>", "pod namespace", "default")
    .addOption(
      new Option("-e, --env <name=value>", "environment variable, repeatable").argParser(collect).default([]),
    )
    .option("-w, --workdir <path>", "working directory", "/")
    .option("-i, --interactive", "pass standard input on", false)
    .option("-t, --tty", "give the container a terminal", false)
    .option("--machine-type <type>", "instance type of the cloud (default: the provider's)", "")
    .option("--pod-vm-image <image>", "pod VM image of the cloud (default: the provider's)", "")
    .addOption(
      new Option("--vcpus <number>", "vCPUs of the pod VM").argParser(number).default(0, "the provider's"),
    )
    .addOption(
      new Option("--memory <MiB>", "memory of the pod VM").argParser(number).default(0, "the provider's"),
    )
    .option("--no-timeline", "do not print what took how long")
    .addHelpText(
      "after",
      "\nExit codes: the container's; 125 when the pod could not be run.\n" +
        "With --json the timeline, on standard error, is JSON.\n\n" +
        "Example: peerpods run docker.io/library/busybox -- sh -c 'hostname; ip address'",
    )
    .action(async (image: string, command: readonly string[], { podVmImage, ...flags }: RunFlags) => {
      const { run } = await import("../run.ts");
      exit(await run(context(), { image, command, ...flags, podVMImage: podVmImage }));
    });
}

function collect(value: string, before: readonly string[]): string[] {
  if (!/^[^=]+=/.test(value)) throw new InvalidArgumentError("It must read NAME=VALUE.");
  return [...before, value];
}

function number(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
