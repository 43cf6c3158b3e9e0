#!/usr/bin/env node
/** The tool a person uses on a worker node; see `commands/` for what each command does. */

import { Command, InvalidArgumentError } from "commander";
import { CommandError, causeLine } from "./commands/command-error.ts";
import type { CommandContext } from "./commands/context.ts";
import { DEFAULT_CONTROL_SOCKET } from "./control/protocol.ts";
import { version } from "./version.ts";

const interrupted = new AbortController();
const interrupt = (): void => interrupted.abort(new Error("interrupted"));
process.once("SIGINT", interrupt).once("SIGTERM", interrupt);

const program = new Command("peerpods")
  .description("look at the peer pods of this node, and run a container in one")
  .version(version)
  .option(
    "--control-socket <path>",
    "control socket of the daemon",
    process.env["PEERPODS_CONTROL_SOCKET"] ?? DEFAULT_CONTROL_SOCKET,
  )
  .option("--json", "machine-readable output", false)
  .showHelpAfterError("(peerpods --help shows what there is)");

program
  .command("run")
  .description(
    "run a container in a pod VM of its own, with the calls that the kata shim makes; its exit code is passed on",
  )
  .argument("<image>", "image reference, pulled inside the VM")
  .argument("[command...]", "command and arguments, after --", [])
  .option(
    "--netns <path>",
    "network namespace that a CNI has prepared (default: one is made and removed again)",
  )
  .option("--name <name>", "pod name (default: run-<random>)")
  .option("--namespace <name>", "pod namespace", "default")
  .option("-e, --env <name=value>", "environment variable, repeatable", collect, [])
  .option("-w, --workdir <path>", "working directory", "/")
  .option("-i, --interactive", "pass standard input on", false)
  .option("-t, --tty", "give the container a terminal", false)
  .option("--machine-type <type>", "instance type of the cloud", "")
  .option("--pod-vm-image <image>", "pod VM image of the cloud", "")
  .option("--vcpus <number>", "vCPUs of the pod VM; 0 is the provider's default", number, 0)
  .option("--memory <MiB>", "memory of the pod VM; 0 is the provider's default", number, 0)
  .option("--no-timeline", "do not print what took how long")
  .action(async (image: string, command: string[], flags: Record<string, never>) => {
    const { run } = await import("./commands/run.ts");
    process.exitCode = await run(context(), {
      image,
      command,
      ...(flags as object),
      podVMImage: flags["podVmImage"] ?? "",
    } as unknown as Parameters<typeof run>[1]);
  });

program
  .command("ps")
  .description("list the sandboxes of this node")
  .action(async () => {
    const { ps } = await import("./commands/ps.ts");
    await ps(context());
  });

function context(): CommandContext {
  const { controlSocket, json } = program.opts<{ controlSocket: string; json: boolean }>();
  const { stdin, stdout, stderr } = process;
  return {
    controlSocket,
    json,
    stdin,
    stdout,
    stderr,
    signal: interrupted.signal,
    takeSignals: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const)
        process.off(name, interrupt).on(name, () => undefined);
    },
  };
}

function collect(value: string, before: readonly string[]): string[] {
  if (!/^[^=]+=/.test(value)) throw new InvalidArgumentError("It must read NAME=VALUE.");
  return [...before, value];
}

function number(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`peerpods: ${causeLine(error)}\n`);
  if (error instanceof CommandError) process.stderr.write(`  remedy: ${error.remedy}\n`);
  process.exitCode = error instanceof CommandError ? error.exitCode : 1;
}
// A read of standard input or a kept connection must not hold a tool that is done.
if (typeof process.stdin.unref === "function") process.stdin.unref();
