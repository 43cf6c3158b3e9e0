import type { OptionValues } from "@peerpods/cloud-providers";
import { stringify } from "yaml";
import { createKubeClient } from "../kubernetes/kube-client.ts";
import { loadKubeConfig } from "../kubernetes/load-kube-config.ts";
import { packageVersion as version } from "../release.ts";
import { applyObjects } from "./apply/apply.ts";
import { createProgress } from "./apply/progress.ts";
import { uninstall } from "./apply/uninstall.ts";
import { loadValues } from "./load-values.ts";
import { installObjects } from "./objects/index.ts";
import type { KubeObject } from "./objects/kube-object.ts";

/** What the commands touch. */
export interface InstallParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
}

/** Prints the objects of an installation, or with `apply` makes them and waits until all is ready. @returns the exit code. */
export async function runInstallCommand(
  parts: InstallParts,
  options: OptionValues,
  stop: AbortSignal,
): Promise<number> {
  const objects = await objectsOf(options);
  if (options["apply"] !== true) {
    parts.stdout(
      objects.map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false })}`).join(""),
    );
    return 0;
  }
  using waiting = waitingOf(parts, options, stop);
  await applyObjects(objects, waiting);
  parts.stdout(`peer pods are installed in ${textOf(options, "namespace")}\n`);
  return 0;
}

/** Removes an installation after its last pod VM is gone. @returns the exit code. */
export async function runUninstallCommand(
  parts: InstallParts,
  options: OptionValues,
  stop: AbortSignal,
): Promise<number> {
  const objects = await objectsOf(options);
  const kept = options["keep-crd"] === true ? ["CustomResourceDefinition"] : [];
  using waiting = waitingOf(parts, options, stop);
  await uninstall(
    objects.filter(({ kind }) => !kept.includes(kind)),
    { ...waiting, deletePods: options["delete-pods"] === true },
  );
  parts.stdout("peer pods are uninstalled\n");
  return 0;
}

async function objectsOf(options: OptionValues): Promise<readonly KubeObject[]> {
  const provider = textOf(options, "provider");
  const values = await loadValues({
    files: options["values"] as readonly string[],
    settings: [
      ...(provider === "" ? [] : [`provider=${provider}`]),
      ...(options["set"] as readonly string[]),
    ],
  });
  return installObjects({ values, namespace: textOf(options, "namespace"), version });
}

function waitingOf({ env, stderr, terminal }: InstallParts, options: OptionValues, stop: AbortSignal) {
  const kube = createKubeClient(loadKubeConfig(textOf(options, "kubeconfig"), env));
  return {
    kube,
    progress: createProgress(stderr, { terminal }),
    signal: AbortSignal.any([stop, AbortSignal.timeout(Number(options["timeout"]))]),
    [Symbol.dispose]: () => kube[Symbol.dispose](),
  };
}

function textOf(options: OptionValues, flag: string): string {
  return options[flag] as string;
}
