import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NameCache } from "./name-cache.ts";

test("gives the text of whatever bytes, however often and in whatever company they come", () => {
  // Few letters and short texts, so that slots are shared and texts come again.
  const bytes = fc
    .uint8Array({ max: 3, maxLength: 6 })
    .map((at) => at.map((n) => [0x41, 0x62, 0x7f, 0xc3][n] ?? 0));
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 600 }), fc.nat({ max: 9 }), (texts, gap) => {
      const names = new NameCache();
      for (const text of texts) {
        const chunk = Buffer.concat([Buffer.alloc(gap, 0x61), text, Buffer.alloc(gap, 0x61)]);
        expect(names.textOf(chunk, gap, gap + text.length)).toBe(Buffer.from(text).toString("utf8"));
      }
    }),
  );
});

test("gives long texts and texts beyond ASCII as they are", () => {
  const names = new NameCache();
  for (const text of ["x".repeat(100_000), "größe", "größe", "名前", ""]) {
    const bytes = Buffer.from(text);
    expect(names.textOf(bytes, 0, bytes.length)).toBe(text);
  }
});
