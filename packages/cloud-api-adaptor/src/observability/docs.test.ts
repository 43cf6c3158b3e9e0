import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { metricDefinitions, type MetricDefinition } from "./metrics/definitions.ts";
import { stepNames } from "./metrics/sandbox-steps.ts";
import { spanAttributes, spanNames } from "./tracing/span-names.ts";

const packages = fileURLToPath(new URL("../../../", import.meta.url));
let document: string;

beforeAll(async () => {
  document = await readFile(join(packages, "../docs/observability.md"), "utf8");
});

/** Cells of the table whose heading row begins with `heading`, without the heading. */
function tableOf(heading: string): readonly (readonly string[])[] {
  const lines = document.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
const named = (heading: string): readonly string[] =>
  tableOf(heading).map(([name = ""]) => name.replaceAll("`", ""));

describe("docs/observability.md", () => {
  it("has every metric with its type and labels, and no other", () => {
    const documented = tableOf("metric").map(([name = "", type, labels]) => [name, type, labels]);
    expect(documented).toEqual(
      Object.entries<MetricDefinition>(metricDefinitions).map(([name, { type, labels }]) => [
        `\`${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(", "),
      ]),
    );
  });

  it("has every step, span and attribute, and no other", () => {
    expect(named("step").toSorted()).toEqual([...stepNames].toSorted());
    expect(named("span").toSorted()).toEqual(Object.values(spanNames).toSorted());
    expect(named("attribute").toSorted()).toEqual(Object.values(spanAttributes).toSorted());
  });

  it("has every key that daemon, relay and what they are built from log, and no other", async () => {
    const sources = await Promise.all(
      ["cloud-api-adaptor", "cloud-providers", "ttrpc"].map((name) => sourcesOf(join(packages, name, "src"))),
    );
    const text = sources.flat().join("\n");
    const documented = named("key");
    expect(loggedKeys(text).filter((key) => !documented.includes(key))).toEqual([]);
    const fromPino = ["level", "time", "msg"];
    const unknown = documented.filter(
      (key) => !fromPino.includes(key) && !new RegExp(`\\b${key}\\b`).test(text),
    );
    expect(unknown).toEqual([]);
  });
});

async function sourcesOf(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true });
  const wanted = names.filter(
    (name) => name.endsWith(".ts") && !/\.test\.ts$|(^|\/)(testing|conformance|gen|commands)\//.test(name),
  );
  return await Promise.all(wanted.map((name) => readFile(join(directory, name), "utf8")));
}

/** Keys of the object literals that loggers are given. */
function loggedKeys(text: string): readonly string[] {
  const calls = text.matchAll(/\blog(?:ger)?\??\.(?:debug|info|warn|error|fatal)\(\s*\{([^}]*)\}/g);
  const keys = [...calls].flatMap(([, members = ""]) =>
    members.split(",").flatMap((member) => /^\s*([A-Za-z]\w*)\s*(?::|$)/.exec(member)?.[1] ?? []),
  );
  return [...new Set(keys)].toSorted();
}
