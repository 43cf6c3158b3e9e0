import { describe, expect, it } from "vitest";
import { optionsHelp, optionsJson, optionsMarkdown } from "./describe.ts";
import { optionsHelmValues } from "./helm.ts";
import { loadOptions, OptionsError } from "./load.ts";
import { redactOptions } from "./redact.ts";
import type { OptionSpec } from "./spec.ts";

const canary = "canary-7f3a";
const spec: OptionSpec = [
  { flag: "region", env: "REGION", type: "string", required: true, help: "where" },
  { flag: "size", env: "SIZE", type: "int", default: 30, min: 1, max: 100, help: "disk in GiB" },
  { flag: "big", env: "BIG", type: "uint64", default: 5n, help: "a large number" },
  { flag: "on", env: "ON", type: "bool", default: true, help: "a switch" },
  { flag: "wait", env: "WAIT", type: "duration", default: "5m", help: "how long" },
  { flag: "types", env: "TYPES", type: "list", help: "types" },
  { flag: "tags", env: "TAGS", type: "map", help: "tags" },
  { flag: "kind", type: "string", default: "a", oneOf: ["a", "b"], help: "kind" },
  { flag: "key", env: "KEY", type: "string", secret: true, help: "secret key" },
  { flag: "ratio", env: "RATIO", type: "float", default: 0.5, help: "a ratio" },
  { flag: "cap", env: "CAP", type: "uint64", max: 10, help: "a small number" },
  { flag: "short", env: "SHORT", type: "duration", max: 1_000, help: "not long" },
  { flag: "proxy", env: "PROXY", type: "string", help: "a URL" },
  { flag: "pin", env: "PIN", type: "int", secret: true, help: "secret number" },
];

function load(argv: string[], env: Record<string, string> = {}) {
  const loaded = loadOptions(spec, { argv, env: { REGION: "r1", ...env } });
  if ("help" in loaded) throw new Error("help was asked for");
  return loaded;
}

function problems(argv: string[], env: Record<string, string> = {}): readonly string[] {
  try {
    loadOptions(spec, { argv, env: { REGION: "r1", ...env } });
  } catch (error) {
    if (error instanceof OptionsError) return error.problems;
    throw error;
  }
  return [];
}

describe("loading options", () => {
  it("gives defaults in the option's own type", () => {
    expect(load([]).values).toEqual({
      region: "r1",
      size: 30,
      big: 5n,
      on: true,
      wait: 300_000,
      types: [],
      tags: {},
      kind: "a",
      key: "",
      pin: 0,
      ratio: 0.5,
      cap: 0n,
      short: 0,
      proxy: "",
    });
  });

  it.each([
    { why: "single dash", argv: ["-size", "7"], flag: "size", value: 7 },
    { why: "double dash", argv: ["--size", "7"], flag: "size", value: 7 },
    { why: "inline", argv: ["-size=7"], flag: "size", value: 7 },
    { why: "the last wins", argv: ["-size=7", "--size=8"], flag: "size", value: 8 },
    { why: "bare switch", argv: ["-on"], flag: "on", value: true },
    { why: "switch with value", argv: ["-on=False"], flag: "on", value: false },
    { why: "Go duration", argv: ["-wait", "1h2m3.5s"], flag: "wait", value: 3_723_500 },
    {
      why: "largest uint64",
      argv: ["-big", "18446744073709551615"],
      flag: "big",
      value: 18446744073709551615n,
    },
    { why: "list", argv: ["-types", " a, ,b"], flag: "types", value: ["a", "b"] },
    { why: "repeated list adds up", argv: ["-types", "a", "-types", "b"], flag: "types", value: ["a", "b"] },
    {
      why: "equals sign in a map value",
      argv: ["-tags", "k=v=w, x = y "],
      flag: "tags",
      value: { k: "v=w", x: "y" },
    },
    {
      why: "value of several words",
      argv: ["-tags", "key1=value1 key2=value2"],
      flag: "tags",
      value: { key1: "value1 key2=value2" },
    },
    { why: "flags' end", argv: ["-size=7", "--"], flag: "size", value: 7 },
    { why: "exponent", argv: ["-ratio=2.5e-1"], flag: "ratio", value: 0.25 },
    { why: "empty map", argv: ["-tags="], flag: "tags", value: {} },
    { why: "microseconds with the Greek letter", argv: ["-wait=1500\u03bcs"], flag: "wait", value: 1.5 },
    { why: "value that begins with a dash", argv: ["-key", "-x"], flag: "key", value: "-x" },
  ])("flag: $why", ({ argv, flag, value }) => {
    expect(load(argv).values[flag]).toEqual(value);
  });

  it("prefers flag over environment over default, and counts an empty variable as unset", () => {
    const { values, sources } = load(["-types", "c"], { TYPES: "a,b", SIZE: "9", WAIT: "" });
    expect(values["types"]).toEqual(["c"]);
    expect(values["size"]).toBe(9);
    expect(sources).toMatchObject({ types: "flag", size: "env", wait: "default" });
  });

  it.each([
    { why: "trailing text", argv: [], env: { SIZE: "30GB" }, says: 'environment variable SIZE: "30GB"' },
    { why: "out of range", argv: ["-size", "101"], env: {}, says: "a whole number from 1 to 100" },
    { why: "bare number as duration", argv: [], env: { WAIT: "5" }, says: "such as 90s or 5m" },
    { why: "no boolean", argv: [], env: { ON: "yes" }, says: "true or false" },
    { why: "negative uint64", argv: ["-big=-1"], env: {}, says: "from 0 to 18446744073709551615" },
    { why: "pair without equals sign", argv: ["-tags", "key:value"], env: {}, says: "key1=value1" },
    { why: "other word", argv: ["-kind", "c"], env: {}, says: 'one of "a", "b"' },
    { why: "unknown flag", argv: ["-nope"], env: {}, says: "flag -nope does not exist" },
    { why: "left-over word", argv: ["word"], env: {}, says: "word 1 of the command line" },
    {
      why: "word after the flags' end",
      argv: ["--", "-size=7"],
      env: {},
      says: "word 2 of the command line",
    },
    { why: "single dash", argv: ["-size=7", "-"], env: {}, says: "word 2 of the command line" },
    { why: "three dashes", argv: ["---size=7"], env: {}, says: "word 1 of the command line" },
    { why: "unknown flag with value", argv: ["-nope", "x", "-size=7"], env: {}, says: "flag -nope" },
    { why: "hexadecimal for a number", argv: ["-ratio=0x10"], env: {}, says: "it must be a number" },
    { why: "large uint64", argv: ["-cap=11"], env: {}, says: "a whole number from 0 to 10" },
    { why: "negative duration", argv: ["-wait=-1s"], env: {}, says: "such as 90s or 5m" },
    { why: "long duration", argv: ["-short=2s"], env: {}, says: "from 0 to 1000 ms" },
    { why: "no value", argv: ["-size"], env: {}, says: "flag -size needs a value" },
  ])("refuses: $why", ({ argv, env, says }) => {
    const found = problems(argv, env);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(says);
  });

  it("reports everything together, what is missing in one line", () => {
    const found = problems(["-size", "x"], { REGION: "", WAIT: "soon" });
    expect(found).toHaveLength(3);
    expect(found.at(-1)).toBe("missing: -region (or REGION)");
  });

  it("knows when help is asked for", () => {
    expect(loadOptions(spec, { argv: ["-help"], env: {} })).toEqual({ help: true });
  });
});

describe("secrets", () => {
  it("appear in no output", () => {
    const { values } = load(["-key", canary, "-proxy", `http://user:${canary}@proxy:3128`]);
    const outputs = [
      JSON.stringify(redactOptions(spec, values), (_, value) =>
        typeof value === "bigint" ? String(value) : value,
      ),
      optionsHelp(spec),
      optionsMarkdown(spec),
      optionsHelmValues("x", spec),
      ...problems([], { PIN: canary }),
      ...problems(["-kee", canary, canary, `-kye=${canary}`]),
      JSON.stringify(optionsJson([{ flag: "a", type: "string", secret: true, default: canary, help: "" }])),
      JSON.stringify(redactOptions([], { unknown: canary })),
    ];
    expect(outputs.join("\n")).not.toContain(canary);
    expect(values["key"]).toBe(canary);
  });
});

describe("Helm values", () => {
  it("split configuration and secrets, required live and optional commented", () => {
    expect(
      optionsHelmValues(
        "x",
        spec.filter((o) => ["region", "size", "key"].includes(o.flag)),
      ),
    ).toBe(
      [
        "provider: x",
        "providerConfigs:",
        "  x:",
        "    # where",
        '    REGION: ""',
        "    # disk in GiB",
        '    # SIZE: "30"',
        "providerSecrets:",
        "  x:",
        "    # secret key",
        '    # KEY: ""',
        "",
      ].join("\n"),
    );
  });
});
