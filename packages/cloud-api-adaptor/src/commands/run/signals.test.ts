import { constants } from "node:os";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { CommandContext } from "../context.ts";
import { passSignals } from "./signals.ts";

function container() {
  const got: string[] = [];
  return {
    got,
    id: "c",
    exited: new Promise<number>(() => undefined),
    signal: (number: number) => {
      got.push(`signal ${number}`);
      return Promise.resolve();
    },
    resize: ({ rows, columns }: { rows: number; columns: number }) => {
      got.push(`resize ${rows}x${columns}`);
      return Promise.resolve();
    },
  };
}

function terminal(raw: boolean[] = []) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  const stdout = Object.assign(new PassThrough(), { rows: 24, columns: 80 });
  let taken = 0;
  const context = { stdin, stdout, takeSignals: () => void (taken += 1) } as unknown as CommandContext;
  return { context, taken: () => taken };
}

describe("signals of a run", () => {
  it("go to the container instead of ending the tool", () => {
    const target = container();
    const { context, taken } = terminal();
    using _passing = passSignals(target, { context, tty: false });
    process.emit("SIGTERM");
    process.emit("SIGUSR1");
    expect(taken()).toBe(1);
    expect(target.got).toEqual([
      `signal ${constants.signals.SIGTERM}`,
      `signal ${constants.signals.SIGUSR1}`,
    ]);
  });

  it("end the run when the caller insists", async () => {
    const target = container();
    using passing = passSignals(target, { context: terminal().context, tty: false });
    for (const name of ["SIGINT", "SIGTERM", "SIGINT"] as const) process.emit(name);
    await expect(passing.insisted).rejects.toThrow("SIGINT");
    expect(target.got).toHaveLength(3);
  });

  it("with a terminal the size follows and keys come raw, until the end", () => {
    const raw: boolean[] = [];
    const target = container();
    const { context } = terminal(raw);
    const passing = passSignals(target, { context, tty: true });
    (context.stdout as { rows: number }).rows = 50;
    process.emit("SIGWINCH");
    passing[Symbol.dispose]();
    process.emit("SIGWINCH");
    expect(target.got).toEqual(["resize 24x80", "resize 50x80"]);
    expect(raw).toEqual([true, false]);
  });
});
