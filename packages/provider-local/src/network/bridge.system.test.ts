import { setImmediate as nextTurn } from "node:timers/promises";
import { execa } from "execa";
import { expect, test } from "vitest";
import { linkExists } from "./bridge.ts";

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  `a link that goes while it is looked at counts as gone (${isRoot ? "as root" : "needs root"})`,
  async () => {
    const name = `plgone${process.pid % 100_000}`;
    const rounds = Array.from({ length: 30 }, () => [
      `link add name ${name} type bridge`,
      `link delete dev ${name}`,
    ]);
    const seen = new Set<boolean>();
    // Removing a bridge takes the kernel a while, in which every read of it fails in a way of its own.
    const ip = execa("ip", ["-batch", "-"], { input: `${rounds.flat().join("\n")}\n` });
    const over = new AbortController();
    const changes = ip.finally(() => over.abort());
    try {
      while (!over.signal.aborted) {
        seen.add(await linkExists(name));
        await nextTurn();
      }
      await changes;
      expect(seen).toEqual(new Set([true, false]));
    } finally {
      await changes.catch(() => undefined);
      await execa("ip", ["link", "delete", "dev", name], { reject: false });
    }
  },
);
