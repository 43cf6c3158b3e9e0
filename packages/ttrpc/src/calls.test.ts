import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { createEchoPair } from "../testing/pair.ts";

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

async function* numbers(count: number): AsyncGenerator<{ value: number }> {
  for (let value = 0; value < count; value++) yield { value };
}

describe("calls between our client and our server", () => {
  test("a unary call is answered", async () => {
    await using pair = createEchoPair();
    expect(await pair.client.say({ value: "hello" })).toMatchObject({ value: "hello" });
  });

  test("many calls run side by side and are answered out of order", async () => {
    const gates = new Map<string, PromiseWithResolvers<void>>();
    const gate = (name: string) => {
      const known = gates.get(name) ?? Promise.withResolvers<void>();
      gates.set(name, known);
      return known;
    };
    await using pair = createEchoPair({
      replaced: {
        async say({ value }) {
          await gate(value).promise;
          return { value };
        },
      },
    });
    const order: string[] = [];
    const call = async (value: string) => order.push((await pair.client.say({ value })).value);
    const calls = [call("first"), call("second"), call("third")];
    gate("third").resolve();
    await calls[2];
    gate("first").resolve();
    await calls[0];
    gate("second").resolve();
    await Promise.all(calls);
    expect(order).toEqual(["third", "first", "second"]);
  });

  test("a server stream is read to its end", async () => {
    await using pair = createEchoPair();
    const received = await collect(pair.client.count({ value: 200 }));
    expect(received.map(({ value }) => value)).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  test("the error of a server stream comes after its messages", async () => {
    await using pair = createEchoPair();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { value } of pair.client.count({ value: 3 })) seen.push(value);
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.OutOfRange, rawMessage: "odd" });
    expect(seen).toEqual([0, 1, 2]);
  });

  test("a client stream is summed", async () => {
    await using pair = createEchoPair();
    expect((await pair.client.sum(numbers(500))).value).toBe(124_750n);
  });

  test("an empty client stream is one too", async () => {
    await using pair = createEchoPair();
    expect((await pair.client.sum(numbers(0))).value).toBe(0n);
  });

  test("both sides of a bidirectional stream take turns", async () => {
    await using pair = createEchoPair();
    const turns: string[] = [];
    const answered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* talk() {
      for (const [index, { promise }] of answered.entries()) {
        turns.push(`send ${index}`);
        yield { value: `${index}` };
        await promise;
      }
    }
    for await (const { value } of pair.client.chat(talk())) {
      turns.push(`got ${value}`);
      answered[Number(value)]?.resolve();
    }
    expect(turns).toEqual(["send 0", "got 0", "send 1", "got 1"]);
  });

  test("status code, message and details arrive as the handler gave them", async () => {
    await using pair = createEchoPair();
    for (const message of ["plain", "", "\ufeffwith BOM, ümläut \u{1f600}\nand newline", '""']) {
      for (const code of [Code.Canceled, Code.NotFound, Code.Unauthenticated, 77]) {
        const failed = await pair.client
          .fail({ value: `${code}:${message}` })
          .catch((error: unknown) => error);
        expect(failed).toBeInstanceOf(ConnectError);
        expect(failed).toMatchObject({ code, rawMessage: message });
      }
    }
  });

  test("an error that is no ConnectError is UNKNOWN with its text", async () => {
    await using pair = createEchoPair({
      replaced: {
        say: () => {
          throw new TypeError("it broke");
        },
      },
    });
    await expect(pair.client.say({})).rejects.toMatchObject({ code: Code.Unknown, rawMessage: "it broke" });
  });
});
