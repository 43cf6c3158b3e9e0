import { randomUUID } from "node:crypto";
import { execa } from "execa";
import type { Run, RunResult } from "../virsh/run.ts";

/** What readline and virsh's own parser take as it is, between single quotes. */
const plain = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/;
const PROMPT = "virsh # ";

/** Asks virsh for a test. @throws Error when it fails. @returns what it printed. */
export type AskVirsh = (...words: readonly string[]) => Promise<string>;

/** A virsh that stays. */
export interface KeptVirsh extends AsyncDisposable {
  /** Every command goes to it; commands that it cannot take as a line, and other programs, are run by the given one. */
  readonly run: Run;
  readonly ask: AskVirsh;
}

/**
 * Keeps one virsh connected, which takes commands on standard input, one at a time. Thousands of commands would else cost a
 * process of 25 ms each, and `test:///default` lives in the process that opened it: with this, no libvirtd is needed. A command
 * that is under way is always awaited, so it is only for tests in which no real command hangs.
 */
export function keepVirsh(uri: string, real: Run): KeptVirsh {
  const shell = new VirshShell(uri);
  const run: Run = async (program, args, options) => {
    if (program !== "virsh" || options.signal.aborted) return await real(program, args, options);
    const [quiet, connect, to, ...command] = args;
    const isOurs = quiet === "--quiet" && connect === "--connect" && to === uri;
    if (!isOurs || !command.every((word) => plain.test(word)))
      throw new TypeError(`cannot be said to virsh: ${JSON.stringify(args)}`);
    return await shell.run(command);
  };
  return {
    run,
    async ask(...words) {
      const { ok, stdout, stderr } = await shell.run(words);
      if (!ok) throw new Error(`virsh ${words.join(" ")}: ${stderr}`);
      return stdout;
    },
    [Symbol.asyncDispose]: () => shell.end(),
  };
}

class VirshShell {
  readonly #process;
  #last: Promise<unknown> = Promise.resolve();
  readonly #said = { stdout: "", stderr: "" };
  #heard: () => void = () => undefined;
  #ended = false;

  constructor(uri: string) {
    // It repeats each line as it would on a terminal of this width.
    const terminal = { TERM: "dumb", COLUMNS: "30000" };
    const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", ...terminal };
    this.#process = execa("virsh", ["--quiet", "--connect", uri], {
      env,
      extendEnv: false,
      reject: false,
      buffer: false,
    });
    for (const name of ["stdout", "stderr"] as const)
      this.#process[name].setEncoding("utf8").on("data", (text: string) => {
        this.#said[name] += text;
        this.#heard();
      });
    void this.#process.then(() => {
      this.#ended = true;
      this.#heard();
    });
  }

  run(words: readonly string[]): Promise<RunResult> {
    const result = this.#last.then(() => this.#tell(words));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Each answer ends with a mark, on both streams. */
  async #tell(words: readonly string[]): Promise<RunResult> {
    const mark = randomUUID();
    const line = words.map((word) => `'${word}'`).join(" ");
    const [markErrors, markOutput] = [`echo --err ${mark}`, `echo ${mark}`];
    this.#said.stdout = "";
    this.#said.stderr = "";
    this.#process.stdin.write(`${line}\n${markErrors}\n${markOutput}\n`);
    const end = `${PROMPT}${markOutput}\n${mark}`;
    await this.#until(
      () => this.#said.stdout.includes(end) && this.#said.stderr.includes(`error: ${mark}\n`),
    );
    // The prompt before it came with the answer to the command before.
    const from = this.#said.stdout.indexOf(`${line}\n`) + line.length + 1;
    const stdout = this.#said.stdout.slice(from, this.#said.stdout.indexOf(`${PROMPT}${markErrors}`));
    const stderr = this.#said.stderr.slice(0, this.#said.stderr.indexOf(`error: ${mark}\n`));
    return { ok: !/^error: /m.test(stderr), stdout, stderr };
  }

  async end(): Promise<void> {
    this.#process.stdin.end("quit\n");
    await this.#process;
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#ended) throw new Error(`virsh has ended: ${this.#said.stderr}`);
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }
}
