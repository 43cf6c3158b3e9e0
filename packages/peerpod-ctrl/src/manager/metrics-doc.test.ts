import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";

it("docs/operating.md lists the metrics that there are, with their labels", async () => {
  const metrics = createMetrics();
  metrics.observer.reconciled("done", 1);
  metrics.observer.providerCall({ provider: "x", outcome: "ok", seconds: 1 });
  metrics.observer.orphans({ waiting: 0, deleted: 0, failed: 0 });
  metrics.observeRequest({ verb: "get", resource: "pods", outcome: "200" });
  const { text } = await metrics.text();
  const document = await readFile(new URL("../../../../docs/operating.md", import.meta.url), "utf8");
  const listed = [...document.matchAll(/^\| `(peerpod_ctrl_\w+)(?:\{([\w,]+)\})?` \|/gm)];
  const there = [...text.matchAll(/^# TYPE (peerpod_ctrl_\w+) /gm)].map((match) => match[1] ?? "");
  expect(listed.map((match) => match[1] ?? "").toSorted()).toEqual(there.toSorted());
  for (const [, name, labels = ""] of listed) {
    const sample = text.split("\n").find((line) => new RegExp(`^${name}(_count)?[{ ]`).test(line)) ?? "";
    const found = [...sample.matchAll(/(\w+)="/g)].map((match) => match[1] ?? "");
    expect([name, found.toSorted()]).toEqual([name, labels.split(",").filter(Boolean).toSorted()]);
  }
});
