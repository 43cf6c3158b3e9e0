import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { loadValues } from "./load-values.ts";

async function file(text: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "values-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, "values.yaml"), text);
  return join(dir, "values.yaml");
}

it("takes defaults from the chart, later files over earlier ones, and single settings over all", async () => {
  const first = await file("provider: aws\nproviderConfigs: { aws: { AWS_REGION: a, VXLAN_PORT: '1' } }\n");
  const second = await file("providerConfigs: { aws: { AWS_REGION: b } }\nlimit: '3'\n");
  const values = await loadValues({
    files: [first, second],
    settings: [
      "limit=4",
      "resourceCtrl.replicas=1",
      "daemonset.privileged=true",
      String.raw`daemonset.nodeSelector.kubernetes\.io/os=linux`,
      "providerConfigs.aws.DISABLECVM=true",
    ],
  });
  expect(values).toMatchObject({
    provider: "aws",
    limit: "4",
    providerConfigs: { aws: { AWS_REGION: "b", VXLAN_PORT: "1", DISABLECVM: "true" } },
    resourceCtrl: { replicas: 1, namePrefix: "peerpodctrl-" },
    daemonset: {
      privileged: true,
      nodeSelector: { "node.kubernetes.io/worker": "", "kubernetes.io/os": "linux" },
    },
  });
});

it.each<[string, string | undefined, readonly string[], RegExp]>([
  ["a value that does not exist", "dameonset: {}", [], /dameonset/],
  ["a number where text belongs", "providerConfigs: { aws: { VXLAN_PORT: 4789 } }", [], /VXLAN_PORT/],
  ["a mode that is none", undefined, ["secrets.mode=maybe"], /secrets\.mode/],
  ["a setting without a value", undefined, ["provider"], /"provider" is not a setting/],
  ["what this chart does not bring", undefined, ["webhook.enabled=true"], /webhook\.enabled/],
  ["a file that is no mapping", "- a", [], /no YAML mapping|not a YAML mapping/],
  ["a file that is no YAML", "a: [", [], /values cannot be read from/],
  ["aliases without end", "a: &a [1]\nb: [*a]", [], /values cannot be read from/],
])("refuses %s and names it", async (_what, text, settings, message) => {
  const files = text === undefined ? [] : [await file(text)];
  await expect(loadValues({ files, settings })).rejects.toThrow(message);
});

it("names a file that is not there", async () => {
  await expect(loadValues({ files: ["/nowhere/values.yaml"], settings: [] })).rejects.toThrow(
    /\/nowhere\/values\.yaml/,
  );
});
