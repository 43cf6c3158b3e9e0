import { describe, expect, it } from "vitest";
import { FlagError } from "../program/go-flags.ts";
import { parseForwarderEnvironment } from "./environment.ts";
import { forwarderHelp, parseForwarderOptions } from "./options.ts";

describe("flags", () => {
  it("have the reference's defaults", () => {
    expect(parseForwarderOptions([])).toEqual({
      showVersion: false,
      configPath: "/run/peerpod/apf.json",
      listen: { host: "0.0.0.0", port: 15150 },
      agentSocket: "/run/kata-containers/agent.sock",
      podNetns: "/run/netns/podns",
      hostInterface: "",
      clientCaFile: "",
      certFile: "",
      keyFile: "",
      tlsSkipVerify: false,
      disableTls: false,
    });
  });

  it("come with one dash or two, with = or a blank, and the last one counts", () => {
    const args = [
      "-config",
      "/a",
      "--config=/b",
      "-disable-tls",
      "--tls-skip-verify=true",
      "-tls-skip-verify=0",
    ];
    expect(parseForwarderOptions([...args, "-cert-key=/k=1", "-listen", "[::1]:0"])).toMatchObject({
      configPath: "/b",
      disableTls: true,
      tlsSkipVerify: false,
      keyFile: "/k=1",
      listen: { host: "::1", port: 0 },
    });
    expect(parseForwarderOptions(["-listen", ":80"]).listen).toEqual({ host: "::", port: 80 });
  });

  it.each([
    [["-nope"], /-nope/],
    [["config"], /unexpected argument "config"/],
    [["-config"], /needs an argument: -config/],
    [["-config="], /-config must not be empty/],
    [["-disable-tls=maybe"], /"maybe" for -disable-tls: use true or false/],
    [["-listen", "15150"], /"15150" for -listen: use HOST:PORT/],
    [["-listen", "0.0.0.0:65536"], /-listen/],
    [["-"], /unexpected argument/],
    [["---config", "/a"], /unexpected argument/],
  ])("refuse %j, naming the flag", (args, message) => {
    expect(() => parseForwarderOptions(args)).toThrow(FlagError);
    expect(() => parseForwarderOptions(args)).toThrow(message);
  });

  it("are all in the help", () => {
    expect(forwarderHelp("apf")).toMatch(
      /-kata-agent-socket VALUE\n.*\(default \/run\/kata-containers\/agent\.sock\)/,
    );
  });
});

describe("environment", () => {
  it("sets how long disks are looked for", () => {
    expect(parseForwarderEnvironment({}).diskDetection).toEqual({
      maxAttempts: undefined,
      retryDelayMs: undefined,
    });
    const env = { CAA_DISK_DETECT_MAX_ATTEMPTS: "3", CAA_DISK_DETECT_RETRY_DELAY: "1m1.5s20ms" };
    expect(parseForwarderEnvironment(env).diskDetection).toEqual({ maxAttempts: 3, retryDelayMs: 61_520 });
  });

  it.each([
    ["CAA_DISK_DETECT_MAX_ATTEMPTS", "0"],
    ["CAA_DISK_DETECT_MAX_ATTEMPTS", "many"],
    ["CAA_DISK_DETECT_RETRY_DELAY", "2"],
    ["CAA_DISK_DETECT_RETRY_DELAY", "-2s"],
    ["CAA_DISK_DETECT_RETRY_DELAY", "0s"],
    ["CAA_DISK_DETECT_RETRY_DELAY", "2s soon"],
  ])("refuses %s=%s, naming it", (name, value) => {
    expect(() => parseForwarderEnvironment({ [name]: value })).toThrow(name);
  });
});
