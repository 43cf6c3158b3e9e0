import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import { playDemo } from "./demo/play.ts";

it("plays the demo from nothing to nothing", async () => {
  const directory = await mkdtemp("/tmp/ppdemo-");
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const said: string[] = [];
  await playDemo({ directory, id: randomBytes(2).toString("hex"), say: (line) => said.push(line) });
  const text = said.join("\n");
  expect(text).toContain("server:    hello from the pod network");
  expect(text).toContain("hello from the container");
  expect(text).toContain("no process, namespace, link, rule, mount, cgroup, file or instance remains");
});
