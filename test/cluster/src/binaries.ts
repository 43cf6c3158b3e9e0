import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce, missingGo } from "@peerpods/test-harness";
import { execa } from "execa";
import { fromAssets, go, goModulePrograms } from "./go-program.ts";

const KUBERNETES = "1.36.3";
const ETCD = "3.6.8";
const HELM = "4.3.2";
export const RUNC = "1.3.4";

/** Programs of Kubernetes that can be asked for. */
export type Program = "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kubelet" | "kubectl";

/** Why no cluster can be started here, or `undefined`. For the reason of a skipped test. */
export async function missingBinaries(): Promise<string | undefined> {
  if (process.env["KUBEBUILDER_ASSETS"] !== undefined) return undefined;
  return (await missingGo()) === undefined
    ? undefined
    : "needs kube-apiserver and etcd: set KUBEBUILDER_ASSETS, or install Go so that they are built";
}

/**
 * Builds what {@link startCluster} needs if it is not there yet: minutes on the first call on a machine, nothing later.
 * Call it in a `beforeAll` with a limit of half an hour.
 */
export async function prepareBinaries(programs: readonly Program[] = ["kube-apiserver"]): Promise<void> {
  await etcdBinary();
  for (const program of programs) await kubernetesBinary(program);
}

/** Path of etcd: from KUBEBUILDER_ASSETS, else built once from its Go module. */
export async function etcdBinary(): Promise<string> {
  const given = await fromAssets("etcd");
  if (given !== undefined) return given;
  const directory = await goModulePrograms("etcd", {
    module: "go.etcd.io/etcd/server/v3",
    version: ETCD,
    programs: { etcd: "go.etcd.io/etcd/server/v3" },
  });
  return join(directory, "etcd");
}

/** Path of a Kubernetes program: from KUBEBUILDER_ASSETS, else built once from its Go module (minutes). */
export async function kubernetesBinary(program: Program): Promise<string> {
  const given = await fromAssets(program);
  if (given !== undefined) return given;
  const directory = await buildOnce(`kubernetes-${KUBERNETES}-${program}`, async (target) => {
    await writeFile(join(target, "go.mod"), await moduleFile(target));
    await writeFile(
      join(target, "tools.go"),
      `package tools\n\nimport _ "k8s.io/kubernetes/cmd/${program}${program === "kubectl" ? "" : "/app"}"\n`.replace(
        // kubectl's main package cannot be imported; its library can.
        "k8s.io/kubernetes/cmd/kubectl",
        "k8s.io/kubectl/pkg/cmd",
      ),
    );
    await go(target, ["mod", "tidy"]);
    await go(target, [
      "build",
      "-trimpath",
      "-ldflags=-s -w",
      "-o",
      program,
      `k8s.io/kubernetes/cmd/${program}`,
    ]);
  });
  return join(directory, program);
}

/**
 * k8s.io/kubernetes replaces its staging modules by folders of its own repository, which a dependent does not get: each
 * needs a replacement by the published module, whose version is that of Kubernetes with a leading 0.
 */
async function moduleFile(directory: string): Promise<string> {
  const { stdout } = await execa("go", ["mod", "download", "-json", `k8s.io/kubernetes@v${KUBERNETES}`], {
    cwd: directory,
  });
  const { GoMod } = JSON.parse(stdout) as { GoMod: string };
  const upstream = await readFile(GoMod, "utf8");
  const goVersion = /^go (\S+)$/m.exec(upstream)?.[1] ?? "1.26";
  const staging = [...upstream.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)].map(
    (match) => match[1] ?? "",
  );
  const staged = `v0.${KUBERNETES.slice(KUBERNETES.indexOf(".") + 1)}`;
  return [
    "module cache.local/kubernetes",
    `go ${goVersion}`,
    `require k8s.io/kubernetes v${KUBERNETES}`,
    ...staging.map((name) => `replace ${name} => ${name} ${staged}`),
    "",
  ].join("\n");
}

/** Why there is no helm here, or `undefined`. For the reason of a skipped test. */
export async function missingHelm(): Promise<string | undefined> {
  return await missingGo();
}

/** Path of the real helm, built once from its Go module. */
export async function helmBinary(): Promise<string> {
  const directory = await goModulePrograms("helm", {
    module: "helm.sh/helm/v4",
    version: HELM,
    programs: { helm: "helm.sh/helm/v4/cmd/helm" },
  });
  return join(directory, "helm");
}

/** Directory with runc, without seccomp. It is C in part: needs a C compiler. */
export async function runcBinary(): Promise<string> {
  return await goModulePrograms("runc", {
    module: "github.com/opencontainers/runc",
    version: RUNC,
    programs: { runc: "github.com/opencontainers/runc" },
    cgo: true,
  });
}
