import { CommanderError } from "commander";
import { CommandError, causeLine } from "./command-error.ts";
import { toJson } from "./output.ts";
import { createTool, USAGE_ERROR, type ToolParts } from "./tool.ts";

/**
 * Runs the tool with the words behind its name and returns the exit code. Nothing is thrown: an error is told on standard
 * error in one line of cause and one of remedy, or as JSON.
 */
export async function runTool(argv: readonly string[], base: ToolParts["base"]): Promise<number> {
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const program = createTool({ base, exit });
  const asJson = (): boolean => program.opts<{ json: boolean }>().json;
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void base.stdout.write(text),
      // As JSON the error follows below.
      writeErr: (text) => void (asJson() || base.stderr.write(text)),
    });
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (asJson()) base.stderr.write(`${jsonError(error)}\n`);
    // Commander has said already what is wrong with the command line.
    else if (!(error instanceof CommanderError)) base.stderr.write(textError(error));
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return USAGE_ERROR;
  return error instanceof CommandError ? error.exitCode : 1;
}

function textError(error: unknown): string {
  const remedy = error instanceof CommandError ? `  remedy: ${error.remedy}\n` : "";
  return `peerpods: ${causeLine(error)}\n${remedy}`;
}

function jsonError(error: unknown): string {
  return toJson({
    error: {
      message: causeLine(error),
      ...(error instanceof CommandError ? { remedy: error.remedy } : {}),
      exitCode: exitCodeOf(error),
    },
  });
}
