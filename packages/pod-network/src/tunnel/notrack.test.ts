import { describe, expect, it } from "vitest";
import { createIpRoute2 } from "../driver/iproute2.ts";
import type { CommandResult } from "../driver/run.ts";
import { createNotrack } from "./notrack-script.ts";
import { addTunnelRules } from "./notrack.ts";

const tunnels = [1, 2, 3, 4].map((n) => ({ vxlanId: n, vxlanPort: 4789, remote: `192.0.2.${n}` }));
const done: CommandResult = { exitCode: 0, stdout: "", stderr: "" };

/** A driver whose scripts are kept and answered by `answer`. */
function createDriver(answer: (script: string) => CommandResult) {
  const scripts: string[] = [];
  const run = ({ input }: { readonly input: string }) => {
    scripts.push(input);
    return Promise.resolve(answer(input));
  };
  return { driver: createIpRoute2({ run }), scripts };
}

describe("addTunnelRules", () => {
  it("adds what is asked for at the same time in one transaction", async () => {
    const { driver, scripts } = createDriver(() => done);
    await Promise.all(tunnels.map((tunnel) => addTunnelRules(tunnel, driver)));
    expect(scripts).toEqual([tunnels.map(createNotrack).join("")]);
    await addTunnelRules(tunnels[0]!, driver);
    expect(scripts.slice(1)).toEqual([createNotrack(tunnels[0]!)]);
  });

  it("tells of a failure only whom it concerns", async () => {
    const { driver } = createDriver((script) =>
      script.includes("vni 2") ? { ...done, exitCode: 1, stderr: "Error: Could not process rule" } : done,
    );
    const results = await Promise.allSettled(tunnels.map((tunnel) => addTunnelRules(tunnel, driver)));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  });

  it("makes the table for the first of several, and the others find it", async () => {
    let hasTable = false;
    const { driver, scripts } = createDriver((script) => {
      if (script.includes("add table")) hasTable = true;
      return hasTable ? done : { ...done, exitCode: 1, stderr: "Error: No such file or directory" };
    });
    await Promise.all(tunnels.map((tunnel) => addTunnelRules(tunnel, driver)));
    expect(scripts.filter((script) => script.includes("add table"))).toHaveLength(1);
    expect(scripts.at(-1)).toBe(createNotrack(tunnels[3]!));
  });
});
