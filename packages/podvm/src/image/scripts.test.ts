import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { bootScript } from "./boot-script.ts";
import { initScript, leaseScript } from "./init-script.ts";

/** Programs that busybox has built in, under which its shell would shadow the VM's own. */
const shadowed = /^\s*(?:ip|nsenter) /m;

describe.each(Object.entries({ bootScript, initScript, leaseScript }))("%s", (_name, script) => {
  it("is a script that a shell can read", async () => {
    const { exitCode, stderr } = await execa("sh", ["-n"], { input: script, reject: false });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  it("calls the VM's own programs by their path where busybox has some of that name", () => {
    expect(script).not.toMatch(shadowed);
  });
});
