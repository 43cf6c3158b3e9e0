import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import { describe, expect, it } from "vitest";
import { ifLostOf, survivingCalls } from "./agent-calls.ts";

describe("the table of calls that survive a lost connection", () => {
  const known = new Set(
    [AgentService, Health].flatMap(({ typeName, methods }) =>
      methods.map(({ name }) => `${typeName}/${name}`),
    ),
  );

  it("names only calls that the agent has, each with a reason", () => {
    for (const { service, method, why } of survivingCalls()) {
      expect(known).toContain(`${service}/${method}`);
      expect(why).not.toBe("");
    }
  });

  it.each(["WaitProcess", "ReadStdout", "ReadStderr", "GetOOMEvent", "StatsContainer", "GetGuestDetails"])(
    "%s goes out again",
    (method) => expect(ifLostOf("grpc.AgentService", method)).toBe("reissue"),
  );

  it.each([
    "CreateContainer",
    "StartContainer",
    "ExecProcess",
    "SignalProcess",
    "WriteStdin",
    "CopyFile",
    "NoSuch",
    "toString",
  ])("%s fails: the agent may have done it", (method) =>
    expect(ifLostOf("grpc.AgentService", method)).toBe("fail"),
  );

  it("a call of another service fails, whatever its name", () => {
    expect(ifLostOf("constructor", "WaitProcess")).toBe("fail");
    expect(ifLostOf("x.Other", "WaitProcess")).toBe("fail");
  });
});
