import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { agentUsage, parseAgentFlags } from "./command-line.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("the README lists the flags that there are", () => {
  const inHelp = [...agentUsage.matchAll(/^ {2}(-[a-z-]+)/gm)].map((match) => match[1]);
  const inReadme = [...readme.matchAll(/^\| `(-[a-z-]+)/gm)].map((match) => match[1]);
  expect(new Set(inReadme)).toEqual(new Set(inHelp));
});

test("its command line is valid", () => {
  const line = /^dev-agent (.*)$/m.exec(readme)?.[1] ?? "";
  expect(parseAgentFlags(line.split(" "))).toMatchObject({ logLevel: "debug" });
});
