import type { Readable } from "node:stream";
import { internal } from "../errors.ts";
import { orAborted } from "../or-aborted.ts";
import type { Tools } from "../host/tools.ts";

/**
 * Terminals. An OCI runtime that is not to wait for the process hands the terminal's master over a unix socket, and
 * Node cannot receive descriptors. A runtime in the foreground keeps the master itself and copies between it and its
 * own terminal; that one comes from util-linux' `script`, with every translation turned off, so that bytes pass
 * through it unchanged. The window size is set on the container's terminal directly (see window-size.ts), because
 * `crun exec` does not pass changes on.
 */

/** What is written once the outer terminal is transparent; nothing may be sent to it before. */
const READY = "dev-agent: terminal ready\n";

/** The command that runs `argv` on a transparent terminal. */
export function terminalCommand(
  argv: readonly string[],
  tools: Tools,
): { argv: readonly [string, ...string[]]; env: NodeJS.ProcessEnv } {
  if (tools.script === undefined)
    throw internal("cannot give the process a terminal: the VM has no `script` (Debian package bsdutils)");
  const stty = [...tools.stty, "raw", "-echo"].map(quote).join(" ");
  const line = `${stty} && printf %s ${quote(READY)} && exec ${argv.map(quote).join(" ")}`;
  return {
    argv: [tools.script, "--quiet", "--return", "--command", line, "/dev/null"],
    env: { PATH: tools.searchPath, SHELL: tools.shell },
  };
}

/** Waits for the mark and takes it out of the stream. */
export async function waitForTerminal(output: Readable, signal: AbortSignal): Promise<Readable> {
  let seen = Buffer.alloc(0);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    for (let chunk = output.read() as Buffer | null; chunk !== null; chunk = output.read() as Buffer | null)
      seen = Buffer.concat([seen, chunk]);
    if (seen.length >= READY.length) resolve();
  };
  const onEnd = () => reject(internal(`cannot make a terminal: ${seen.toString()}`));
  output.on("readable", look).once("end", onEnd);
  try {
    await orAborted(promise, signal);
  } finally {
    output.off("readable", look).off("end", onEnd);
  }
  if (!seen.subarray(0, READY.length).equals(Buffer.from(READY)))
    throw internal(`cannot make a terminal: ${seen.toString()}`);
  if (seen.length > READY.length) output.unshift(seen.subarray(READY.length));
  return output;
}

/** What the real agent answers at the end of a terminal: reading the master of one without processes fails. */
export function endOfTerminal(): never {
  throw internal("Input/output error (os error 5)");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
