import { setImmediate as nextTurn } from "node:timers/promises";
import { silentLogger } from "@peerpods/cloud-providers";
import { expect, onTestFinished, test } from "vitest";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { watchSettings } from "./settings.ts";

/** An API server that takes requests and never answers. */
const silent: KubeClient = {
  request: (_request, { signal } = {}) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
  async *watch() {},
};

test("settings that nobody waited for can be disposed of before they are read", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  const settings = watchSettings(silent, {
    namespace: "peerpods",
    configMap: "peer-pods-cm",
    secret: "peer-pods-secret",
    logger: silentLogger,
    signal: new AbortController().signal,
    onChange: () => undefined,
  });
  await settings[Symbol.asyncDispose]();
  // Node tells of a rejection that nobody handles at the end of the turn.
  await nextTurn();
  expect(unhandled).toEqual([]);
  await expect(settings.synced).rejects.toThrow("aborted");
});
