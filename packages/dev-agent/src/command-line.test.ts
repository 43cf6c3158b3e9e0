import { describe, expect, test } from "vitest";
import { parseAgentFlags, parseImagePullFlags, UsageError } from "./command-line.ts";

describe("the command line", () => {
  test("defaults", () => {
    expect(parseAgentFlags([])).toEqual({
      socketPath: "/run/kata-containers/agent.sock",
      runtime: undefined,
      logLevel: "info",
      imageRoot: "/run/peerpod-images",
      imageStore: "/var/lib/dev-agent/images",
      insecureRegistries: [],
      authFile: "/run/peerpod/auth.json",
      pauseBundle: "/pause_bundle",
    });
  });

  test.each([
    [["-listen", "unix:///run/a.sock"]],
    [["--listen", "unix:///run/a.sock"]],
    [["-listen=unix:///run/a.sock"]],
    [["--listen=unix:///run/a.sock"]],
  ])("%j: one dash or two, space or equals sign", (args) => {
    expect(parseAgentFlags(args)).toMatchObject({ socketPath: "/run/a.sock" });
  });

  test("flags that can be given again", () => {
    const args = ["-insecure-registry", "a:1", "-insecure-registry", "b:2"];
    expect(parseAgentFlags(args)).toMatchObject({ insecureRegistries: ["a:1", "b:2"] });
  });

  test("of the image-pull stand-in", () => {
    expect(parseImagePullFlags([])).toMatchObject({ socketPath: "/run/confidential-containers/cdh.sock" });
    expect(() => parseImagePullFlags(["-runtime", "crun"])).toThrow("--runtime");
  });

  test("help", () => {
    expect(parseAgentFlags(["-help"])).toBeUndefined();
    expect(parseAgentFlags(["--help"])).toBeUndefined();
  });

  test.each([
    [["-listen", "/run/a.sock"], "-listen"],
    [["-listen", "unix://relative"], "-listen"],
    [["-listen", `unix:///${"x".repeat(107)}`], "-listen"],
    [["-log-level", "loud"], "-log-level"],
    [["-no-such-flag"], "--no-such-flag"],
    [["stray"], "stray"],
    [["-listen"], "--listen"],
  ])("%j: the error names %s", (args, name) => {
    expect(() => parseAgentFlags(args)).toThrow(UsageError);
    expect(() => parseAgentFlags(args)).toThrow(name);
  });
});
