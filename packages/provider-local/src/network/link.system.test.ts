import { setImmediate as nextTurn } from "node:timers/promises";
import { execa } from "execa";
import { test } from "vitest";
import { linkExists } from "./link.ts";

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  `a link that goes while it is looked at counts as gone (${isRoot ? "as root" : "needs root"})`,
  async ({ signal }) => {
    const name = `plgone${process.pid % 100_000}`;
    const ended = new AbortController();
    const changes = comeAndGo(name, AbortSignal.any([signal, ended.signal]));
    try {
      // Removing a bridge takes the kernel a while, in which every read of it fails in a way of its own. How the looks
      // fall among the changes is the scheduler's affair, so it goes on until there was enough of both.
      const looks = { there: 0, gone: 0 };
      while (looks.there < 10 || looks.gone < 10) {
        signal.throwIfAborted();
        looks[(await linkExists(name)) ? "there" : "gone"] += 1;
        await nextTurn();
      }
    } finally {
      ended.abort();
      await changes;
      await execa("ip", ["link", "delete", "dev", name], { reject: false });
    }
  },
);

/** Makes and removes the link until the signal aborts. */
async function comeAndGo(name: string, signal: AbortSignal): Promise<void> {
  const rounds = Array.from({ length: 5 }, () => [
    `link add name ${name} type bridge`,
    `link delete dev ${name}`,
  ]);
  const input = `${rounds.flat().join("\n")}\n`;
  while (!signal.aborted) await execa("ip", ["-batch", "-"], { input });
}
