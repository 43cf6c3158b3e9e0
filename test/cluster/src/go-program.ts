import { access } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce } from "@peerpods/test-harness";
import { execa } from "execa";

/** A program that is built from a published Go module. */
export interface GoModuleProgram {
  readonly module: string;
  readonly version: string;
  /** Import path of each main package, by the name of the program it makes. */
  readonly programs: Readonly<Record<string, string>>;
  /** Build tags. Default none. */
  readonly tags?: string;
  /** Whether it is C in part. Default false. */
  readonly cgo?: boolean;
}

/**
 * Directory with the programs of a Go module: built once on a machine (minutes), by version. A module of our own that
 * requires it also takes those with replace directives, which `go install` refuses.
 */
export async function goModulePrograms(
  key: string,
  { module, version, programs, tags = "", cgo = false }: GoModuleProgram,
): Promise<string> {
  return await buildOnce(`${key}-${version}`, async (target) => {
    const env = { CGO_ENABLED: cgo ? "1" : "0" };
    await go(target, ["mod", "init", `cache.local/${key}`]);
    await go(target, ["get", `${module}@v${version}`]);
    for (const [name, path] of Object.entries(programs)) {
      await go(target, ["build", "-trimpath", "-tags", tags, "-ldflags=-s -w", "-o", name, path], env);
    }
  });
}

/** Runs go with the freedom to write the go.mod of the directory. */
export async function go(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await execa("go", args, { cwd, env: { GOFLAGS: "-mod=mod", ...env } });
}

/** Path of a program in the directory that KUBEBUILDER_ASSETS names, if it is there. */
export async function fromAssets(program: string): Promise<string | undefined> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets === undefined) return undefined;
  const path = join(assets, program);
  return access(path).then(
    () => path,
    () => undefined,
  );
}
