import { describe, expect, it } from "vitest";
import { SharedAttempt } from "./shared-attempt.ts";

describe("SharedAttempt", () => {
  it("aborts the work when the last caller has left", async () => {
    let given: AbortSignal | undefined;
    const attempt = new SharedAttempt(({ signal }) => {
      given = signal;
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const joined = [attempt.join(first), attempt.join(second)].map((one) => one.catch(String));
    first.abort("one left");
    await joined[0];
    expect(given?.aborted).toBe(false);
    second.abort("the other left");
    expect(await Promise.all(joined)).toEqual(["one left", "the other left"]);
    expect(given?.reason).toBe("the other left");
  });

  it("leaves the signal alone once the work is done", async () => {
    let given: AbortSignal | undefined;
    const attempt = new SharedAttempt(({ signal }) => {
      given = signal;
      return Promise.resolve();
    });
    await attempt.join(new AbortController());
    attempt.cancel(new Error("too late"));
    expect(given?.aborted).toBe(false);
  });
});
