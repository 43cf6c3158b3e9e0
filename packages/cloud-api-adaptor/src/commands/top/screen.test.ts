import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { openScreen } from "./screen.ts";

function terminal(columns: number, rows: number) {
  let written = "";
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString();
      done();
    },
  });
  return Object.assign(stream, { columns, rows, text: () => written });
}

it("takes the usual size for one that does not tell", () => {
  const screen = terminal(0, 0);
  using opened = openScreen(screen);
  opened.show("shown");
  expect(screen.text()).toContain("shown");
});

it("shows what fits, and gives the terminal back once", () => {
  const screen = terminal(5, 2);
  {
    using opened = openScreen(screen);
    opened.show("first line\nsecond\nthird\n");
    opened[Symbol.dispose]();
  }
  expect(screen.text()).toBe("\x1b[?1049h\x1b[?25l\x1b[Hfirst\x1b[K\nsecon\x1b[K\x1b[J\x1b[?25h\x1b[?1049l");
});
