import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { runCommand } from "../host/run.ts";
import { noTraces } from "../testing/host-traces.ts";
import { askVm, openTestBed, testCall, testRequest } from "../testing/test-bed.ts";
import { parseCgroupLayout } from "./layout.ts";

const isRoot = process.geteuid?.() === 0;
const mountInfo = await readFile("/proc/self/mountinfo", "utf8");
const layout = parseCgroupLayout(mountInfo);
/** The cgroup2 tree beside the v1 hierarchies, for those who want to see nothing else. */
const unified = layout.mode === "v1" ? layout.unified : undefined;

/**
 * On a hybrid machine the cgroup2 tree has no controllers for the limits, so this shows the way through the tree (own
 * cgroup, leaf for the first processes, controllers handed on, removal) and not the limits. On a pure v2 machine all
 * other tests go this way.
 */
describe.skipIf(!isRoot || unified === undefined)(
  "cgroup2 only, without limits (needs root, hybrid machine)",
  () => {
    test("a VM lives in a tree of its own, can divide it, and leaves nothing", async () => {
      await using bed = await openTestBed();
      const offered = await readFile(`${unified}/cgroup.subtree_control`, "utf8");
      try {
        const provider = await bed.open(
          { "local-vcpus": 0, "local-memory": 0, "local-pids-limit": 0 },
          {
            run: runCommand,
            mountInfo: async () =>
              mountInfo
                .split("\n")
                .filter((l) => !l.includes(" - cgroup "))
                .join("\n"),
          },
        );
        const { addresses } = await provider.createInstance(testRequest("v2"), testCall());
        const ask = (command: string) => askVm(addresses[0] ?? "", command);
        expect(await ask("grep ^0:: /proc/1/cgroup")).toBe("0::/init");
        expect(await ask("cat /sys/fs/cgroup/cgroup.procs")).toBe("");
        expect(await ask("cat /sys/fs/cgroup/cgroup.subtree_control")).toBe(
          await ask("cat /sys/fs/cgroup/cgroup.controllers"),
        );
        const divide =
          "mkdir /sys/fs/cgroup/box && echo $$ >/sys/fs/cgroup/box/cgroup.procs && cat /proc/self/cgroup";
        expect(await ask(`${divide} | grep ^0::`)).toBe("0::/box");
        await provider.deleteInstance({ token: "v2", tags: {} }, testCall());
        expect(await bed.traces()).toEqual(noTraces);
      } finally {
        const now = (await readFile(`${unified}/cgroup.subtree_control`, "utf8")).trim().split(" ");
        const added = now.filter((controller) => controller !== "" && !offered.includes(controller));
        if (added.length > 0)
          await writeFile(`${unified}/cgroup.subtree_control`, added.map((c) => `-${c}`).join(" "));
      }
    });

    test("a limit that cannot be enforced is refused, and nothing is left", async () => {
      await using bed = await openTestBed();
      const provider = await bed.open(
        {},
        {
          run: runCommand,
          mountInfo: async () =>
            mountInfo
              .split("\n")
              .filter((l) => !l.includes(" - cgroup "))
              .join("\n"),
        },
      );
      await expect(provider.createInstance(testRequest("v2"), testCall())).rejects.toMatchObject({
        code: "invalid_config",
        message: expect.stringContaining("local-"),
      });
      expect(await bed.traces()).toEqual(noTraces);
    });
  },
);
