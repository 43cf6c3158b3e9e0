import { expect, it } from "vitest";
import { batchText, command, joined } from "./batch.ts";

it("writes one command a line, values as words", () => {
  const commands = [
    command`link set dev ${"eth0"} mtu ${1450}`,
    joined(command`route show`, undefined, command`table main`),
  ];
  expect(batchText(commands)).toBe("link set dev eth0 mtu 1450\nroute show table main\n");
});

it("quotes what holds blanks", () => {
  expect(command`link set eth0 netns ${"/run/my netns#1"}`).toBe('link set eth0 netns "/run/my netns#1"');
});

it.each([["a\nlink del b"], ['a"b'], ["it's"], ["a\\"], ["a\0"], [""], ["a\tb"], ["é"]])(
  "refuses %j",
  (value) => {
    expect(() => command`link del ${value}`).toThrow(expect.objectContaining({ code: "invalid_config" }));
  },
);
