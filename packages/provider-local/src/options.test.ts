import { readFile } from "node:fs/promises";
import { loadOptions, optionsMarkdown } from "@peerpods/cloud-providers";
import { describe, expect, test } from "vitest";
import { provider } from "./index.ts";
import { localOptions, parseLocalConfig } from "./options.ts";

const load = (argv: string[] = [], env: Record<string, string> = {}) => {
  const loaded = loadOptions(localOptions, { argv, env });
  if ("help" in loaded) throw new Error("no help was asked for");
  return parseLocalConfig(loaded.values);
};

describe("options", () => {
  test("defaults are a configuration that works as it is", () => {
    expect(load()).toEqual({
      bridge: "pplocal0",
      subnet: { base: 0x0a_d5_00_00, prefixLength: 20 },
      mtu: 1500,
      nat: false,
      vcpus: 2,
      memoryMiB: 2048,
      pidsLimit: 4096,
      rootStorage: "disk",
      cacheDirectory: "/var/cache/peerpods/local",
      guestDirectory: "",
      imageDirectory: "",
      kataAgent: "",
      bootTimeoutMs: 30_000,
    });
  });

  test("each has a flag and an environment variable of the same words", () => {
    for (const { flag, env, help } of localOptions) {
      expect(env).toBe(flag.toUpperCase().replaceAll("-", "_"));
      expect(help).not.toBe("");
    }
    expect(load([], { LOCAL_NAT: "true" }).nat).toBe(true);
  });

  test("everything that is wrong is named in one error", () => {
    const wrong = [
      "-local-bridge=a b",
      "-local-subnet=10.0.0.1/24",
      "-local-cache-dir=cache",
      "-local-image-dir=/a:b",
    ];
    expect(() => load(wrong)).toThrow(
      expect.objectContaining({
        code: "invalid_config",
        message: expect.stringMatching(/local-bridge[^]*local-subnet[^]*local-cache-dir[^]*local-image-dir/),
      }),
    );
  });
});

test("the package exports what the registry wants", () => {
  expect(provider).toMatchObject({
    name: "local",
    options: localOptions,
    contractVersion: expect.any(String),
  });
});

test("the README has the table of options as it is", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  for (const line of optionsMarkdown(localOptions).trim().split("\n")) expect(readme).toContain(line);
});
