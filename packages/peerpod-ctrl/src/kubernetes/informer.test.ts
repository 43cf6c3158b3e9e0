import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@peerpods/cloud-providers";
import { describe, expect, it, onTestFinished } from "vitest";
import { startInformer, type Change } from "./informer.ts";
import type { ObjectMeta, Resource } from "./resource.ts";

interface Thing {
  readonly metadata: ObjectMeta;
}

function thing(name: string, resourceVersion: string): Thing {
  return { metadata: { name, resourceVersion, uid: `uid-${name}`, creationTimestamp: "" } };
}

function readThing(input: unknown): Thing {
  if (typeof input !== "object" || input === null) throw new TypeError("not a thing");
  return input as Thing;
}

/** What a server says: lists in turn, and for each watch its events, after which the connection is closed. */
interface Script {
  readonly lists: readonly (() => Promise<{ items: readonly Thing[]; resourceVersion: string }>)[];
  readonly watches: readonly (readonly unknown[])[];
}

/** A server whose answers are written down, for what a real one does only after hours: 410, lists of minutes. */
function scripted({ lists, watches }: Script) {
  const asked: string[] = [];
  let [listed, watched] = [0, 0];
  const resource = {
    type: { group: "", version: "v1", plural: "things", parse: (input: unknown) => readThing(input) },
    list: () => {
      asked.push("list");
      return (lists[listed++] ?? lists.at(-1))?.() ?? Promise.reject(new Error("no list"));
    },
    async *watch({ resourceVersion, signal }: { resourceVersion: string; signal: AbortSignal }) {
      asked.push(`watch from ${resourceVersion}`);
      const events = watches[watched++];
      if (events !== undefined) return yield* events;
      // The last watch stays open until the informer ends.
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  } as unknown as Resource<Thing>;
  return { resource, asked };
}

function start(script: Script) {
  const { resource, asked } = scripted(script);
  const ending = new AbortController();
  const changes: string[] = [];
  const informer = startInformer(resource, {
    logger: silentLogger,
    signal: ending.signal,
    backoffMs: [1, 2],
    onChange: ({ type, object }: Change<Thing>) => void changes.push(`${type} ${object.metadata.name}`),
  });
  onTestFinished(() => informer[Symbol.asyncDispose]());
  return { informer, asked, changes };
}

const list =
  (resourceVersion: string, ...items: readonly Thing[]) =>
  () =>
    Promise.resolve({ items, resourceVersion });
const gone = { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } };

describe("an informer", () => {
  it("goes on where a watch was closed, without another list", async () => {
    const { informer, asked, changes } = start({
      lists: [list("5", thing("a", "3"))],
      watches: [
        [
          { type: "ADDED", object: thing("b", "6") },
          { type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } },
        ],
        [{ type: "DELETED", object: thing("a", "10") }],
      ],
    });
    await expect.poll(() => asked).toEqual(["list", "watch from 5", "watch from 9", "watch from 10"]);
    expect(changes).toEqual(["added a", "added b", "deleted a"]);
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(["b"]);
    expect(informer.lists).toBe(1);
  });

  it("lists anew after 410 Gone and tells what has changed meanwhile, what went included", async () => {
    const { informer, asked, changes } = start({
      lists: [list("5", thing("a", "3"), thing("b", "4")), list("80", thing("b", "70"), thing("c", "60"))],
      watches: [[gone]],
    });
    await expect.poll(() => asked).toEqual(["list", "watch from 5", "list", "watch from 80"]);
    expect(changes).toEqual(["added a", "added b", "deleted a", "updated b", "added c"]);
    expect(informer.stale()).toBeUndefined();
  });

  it("is not synced before a slow list is there, and says that it may be out of date", async () => {
    const slow = Promise.withResolvers<{ items: readonly Thing[]; resourceVersion: string }>();
    const { informer } = start({ lists: [() => slow.promise], watches: [] });
    const early = await Promise.race([informer.synced.then(() => "synced"), pause(30, "waiting")]);
    expect(early).toBe("waiting");
    expect(informer.stale()).toBeDefined();
    slow.resolve({ items: [thing("a", "3")], resourceVersion: "5" });
    await informer.synced;
    expect(informer.get("a")).toBeDefined();
    expect(informer.stale()).toBeUndefined();
  });

  it("tries lists that fail again, and keeps what it has when one fails later", async () => {
    const refuse = () => Promise.reject(new Error("away"));
    const { informer, asked } = start({
      lists: [refuse, refuse, list("5", thing("a", "3")), refuse, list("9", thing("a", "3"))],
      watches: [[gone]],
    });
    await informer.synced;
    await expect.poll(() => asked.at(-1)).toBe("watch from 9");
    expect(asked.filter((what) => what === "list")).toHaveLength(5);
    expect(informer.get("a")).toBeDefined();
  });

  it("leaves out what cannot be read and goes on", async () => {
    const { informer, asked } = start({
      lists: [list("5")],
      watches: [
        [
          { type: "ADDED", object: undefined },
          { type: "ADDED", object: thing("b", "7") },
        ],
      ],
    });
    await expect.poll(() => asked.at(-1)).toBe("watch from 7");
    expect(informer.list()).toHaveLength(1);
  });
});
