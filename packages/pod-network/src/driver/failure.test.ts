import { expect, it } from "vitest";
import { commandFailure } from "./failure.ts";

it.each([
  ["Error: A VXLAN device with the specified VNI already exists.\nCommand failed -:1", "vni_in_use"],
  ["RTNETLINK answers: File exists\nCommand failed -:1", "exists"],
  ["Error: Exclusivity flag on, cannot modify.\nCommand failed -:1", "exists"],
  ["nsenter: cannot open /run/netns/x: No such file or directory", "no_namespace"],
  ["nsenter: reassociate to namespace 'ns/net' failed: Invalid argument", "no_namespace"],
  ['Error: argument "/run/netns/x" is wrong: Invalid "netns" value', "no_namespace"],
  ["nsenter: failed to execute tc: No such file or directory", "tool_missing"],
  ['Cannot find device "eth9"\nCommand failed -:1', "not_found"],
  ["Error: No such file or directory\nlist set ip peerpods tunnels", "not_found"],
  ["RTNETLINK answers: Operation not permitted", "command_failed"],
  ["", "command_failed"],
])("%j means %s", (stderr, code) => {
  const attempt = { program: "ip", input: "link add a\n", netns: undefined };
  expect(commandFailure(attempt, { stderr, stdout: "", exitCode: 1 }).code).toBe(code);
});

it("names the command of the batch that failed, and where", () => {
  const attempt = { program: "ip", input: "link add a\nlink add b\n", netns: "/run/netns/pod" };
  const stderr = "RTNETLINK answers: No buffer space available\nCommand failed -:2\n";
  expect(commandFailure(attempt, { stderr, stdout: "", exitCode: 1 }).message).toBe(
    "ip link add b in /run/netns/pod: RTNETLINK answers: No buffer space available; Command failed -:2",
  );
});
