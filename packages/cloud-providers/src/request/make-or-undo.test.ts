import { expect, it } from "vitest";
import { ProviderError } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { makeOrUndo, type Undoable } from "./make-or-undo.ts";

const full = new ProviderError("no_capacity", "full");

/** Fails after it has begun, unless told otherwise; notes what is done. */
function attempt(steps: Partial<Undoable<string>> = {}) {
  const clock = new FakeClock(0);
  const undone: string[] = [];
  const result = clock.runUntil(
    makeOrUndo(
      {
        make(begun) {
          begun();
          return Promise.reject(full);
        },
        undo(error) {
          undone.push(error.code);
          return Promise.resolve();
        },
        left: () => Promise.resolve(["i-1"]),
        ...steps,
      },
      { what: "instance web", token: "t-a1", clock, logger: silentLogger },
    ),
  );
  return { undone, result, clock };
}

it("gives what was made", async () => {
  const { undone, result } = attempt({ make: () => Promise.resolve("made") });
  await expect(result).resolves.toBe("made");
  expect(undone).toEqual([]);
});

it("undoes what had begun, and fails as the making did", async () => {
  const { undone, result } = attempt();
  await expect(result).rejects.toBe(full);
  expect(undone).toEqual(["no_capacity"]);
});

it("undoes nothing when nothing had begun", async () => {
  const { undone, result } = attempt({ make: () => Promise.reject(full) });
  await expect(result).rejects.toBe(full);
  expect(undone).toEqual([]);
});

it("names what could not be undone", async () => {
  const { result } = attempt({ undo: () => Promise.reject(new Error("no")) });
  await expect(result).rejects.toMatchObject({ code: "no_capacity", left: ["i-1"], cause: full });
});

it("names at least the token when nobody knows what is left", async () => {
  const no = () => Promise.reject(new Error("no"));
  await expect(attempt({ undo: no, left: no }).result).rejects.toMatchObject({
    left: ["whatever carries the token t-a1"],
  });
});

it("gives the undoing a minute, whatever the caller has left", async () => {
  const { result, clock } = attempt({
    undo: (_error, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      }),
  });
  await expect(result).rejects.toMatchObject({ left: ["i-1"] });
  expect(clock.now()).toBe(60_000);
});

it("makes a ProviderError of whatever was thrown", async () => {
  const { result } = attempt({ make: () => Promise.reject("text") });
  await expect(result).rejects.toMatchObject({
    code: "internal",
    message: expect.stringContaining("instance web") as string,
  });
});
