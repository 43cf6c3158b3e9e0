import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { helmBinary, missingHelm } from "@peerpods/test-cluster";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { packageVersion as version } from "../../release.ts";
import { loadValues } from "../load-values.ts";
import { installObjects } from "../objects/index.ts";
import type { KubeObject } from "../objects/kube-object.ts";
import { chartDirectory } from "./chart-directory.ts";

const missing = await missingHelm();
const chart = fileURLToPath(chartDirectory);
const NAMESPACE = "confidential-containers-system";

describe.skipIf(missing !== undefined)(`the chart${missing === undefined ? "" : ` (${missing})`}`, () => {
  let helm: string;
  let dir: string;

  beforeAll(async () => {
    helm = await helmBinary();
    dir = await mkdtemp(join(tmpdir(), "peerpods-chart-"));
  }, 1_800_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const hard = `a "quoted" <b>&\\ 'text' # : {{ .Values.x }}\nnext line`;
  it.each<[string, object]>([
    ["the defaults", {}],
    [
      "options and secrets that look like YAML, HTML and templates",
      {
        provider: "aws",
        providerConfigs: {
          aws: { AWS_REGION: hard, VXLAN_PORT: "4790", PEERPODS_LIMIT_PER_NODE: "1" },
          ibm: { X: "y" },
        },
        providerSecrets: { aws: { AWS_SECRET_ACCESS_KEY: hard, id_rsa: "key", id_rsa_pub: "pub" } },
        secrets: { tlsCerts: { caCert: "ca" } },
        tlsProfile: { minVersion: "VersionTLS13" },
        clusterId: "mine",
        image: { name: "example.org:5000/caa", tag: "1@sha256:abc" },
        imagePullSecrets: [{ name: "pull" }],
        daemonset: {
          podLabels: { "azure.workload.identity/use": "true", app: "not-this" },
          serviceAccount: { annotations: { role: hard } },
          tolerations: [{ operator: "Exists" }],
          hostPID: true,
          privileged: true,
        },
        resourceCtrl: { namePrefix: "x-", podLabels: { a: "b" }, replicas: 1 },
      },
    ],
    [
      "Secrets made by hand, and tokens of two clouds",
      {
        provider: "ibmcloud",
        secrets: { mode: "reference", existingSecretName: "mine" },
        alibabacloud: { rrsa: { enable: true } },
      },
    ],
    [
      "neither controller nor RuntimeClass",
      { resourceCtrl: { enabled: false }, runtimeClass: { enabled: false } },
    ],
  ])("gives the same objects as the chart under helm: %s", async (_what, values) => {
    const file = join(dir, "values.yaml");
    await writeFile(file, JSON.stringify(values));
    await compare(file);
  });

  it("gives the same objects with the values file of each provider", async () => {
    const providers = join(chart, "providers");
    const files = await readdir(providers);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) await compare(join(providers, file));
  });

  async function compare(file: string): Promise<void> {
    await execa(helm, ["lint", "--strict", chart, "-f", file]);
    const template = ["template", "peerpods", chart, "--include-crds", `--namespace=${NAMESPACE}`];
    const { stdout } = await execa(helm, [...template, "-f", file]);
    const rendered = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
    const facts = {
      values: await loadValues({ files: [file], settings: [] }),
      namespace: NAMESPACE,
      version,
    };
    const installed = installObjects(facts).filter(({ kind }) => kind !== "Namespace");
    expect(byName(rendered)).toEqual(byName(JSON.parse(JSON.stringify(installed)) as KubeObject[]));
  }

  it("refuses wrong values under helm as well", async () => {
    const template = execa(helm, ["template", "peerpods", chart, "--set", "dameonset.hostPID=true"]);
    await expect(template).rejects.toThrow(/dameonset/);
  });
});

function byName(objects: readonly KubeObject[]): Record<string, unknown> {
  return Object.fromEntries(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}
