import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { startRegistry, type Registry } from "./registry.ts";
import { checkoutAt, createMaintainer, createRemote, type Checkout, type Maintainer } from "./repository.ts";
import { packageNames, writeSmallWorkspace } from "./small-workspace.ts";

/** A registry, a remote and a checkout in a temporary directory. */
export interface Stand extends AsyncDisposable {
  readonly dir: string;
  readonly registry: Registry;
  /** Lets nobody publish these any more, at the same address. */
  deny(names: readonly string[]): Promise<void>;
  readonly remote: string;
  readonly checkout: Checkout;
  readonly maintainer: Maintainer;
  /** Another clone of the remote, by another maintainer. */
  clone(name: string): Promise<Checkout>;
  /** Every tag of the remote with its commit. */
  tags(): Promise<Record<string, string>>;
  /** What is published and tagged, by package: `{ "@peerpods/ttrpc": { published: ["0.1.0"], tagged: [...] } }`. */
  state(): Promise<
    Record<string, { readonly published: readonly string[]; readonly tagged: readonly string[] }>
  >;
}

/** The small workspace, pushed and not released. */
export async function createStand(): Promise<Stand> {
  const dir = await mkdtemp(join(tmpdir(), "peerpods-release-test-"));
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const storage = join(dir, "registry");
  let registry = await startRegistry({ dir: storage });
  parts.defer(() => registry[Symbol.asyncDispose]());
  const remote = await createRemote(join(dir, "remote.git"));
  const maintainer = await createMaintainer(join(dir, "home"), registry.address);
  const clone = async (name: string): Promise<Checkout> => {
    const place = join(dir, name);
    await execa("git", ["clone", "--quiet", remote, place], { env: maintainer.env });
    return checkoutAt(place, maintainer);
  };
  const checkout = await clone("checkout");
  await checkout.git("switch", "--quiet", "--create", "main");
  await writeSmallWorkspace(checkout);
  const held = parts.move();
  return {
    dir,
    get registry() {
      return registry;
    },
    async deny(names) {
      await registry[Symbol.asyncDispose]();
      registry = await startRegistry({
        dir: storage,
        denied: names,
        port: Number(new URL(registry.address).port),
      });
    },
    async tags() {
      const format = "--format=%(refname:strip=2) %(*objectname)";
      const { stdout } = await execa("git", ["--git-dir", remote, "for-each-ref", "refs/tags", format]);
      return Object.fromEntries(stdout.split("\n").map((line) => line.split(" ") as [string, string]));
    },
    remote,
    checkout,
    maintainer,
    clone,
    state: async () => Object.fromEntries(await Promise.all(packageNames.map((name) => stateOf(name)))),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };

  async function stateOf(name: string) {
    const tags = await execa("git", [
      "--git-dir",
      remote,
      "tag",
      "--list",
      `${name.slice("@peerpods/".length)}/*`,
    ]);
    const tagged = tags.stdout
      .split("\n")
      .filter(Boolean)
      .map((tag) => tag.split("/v")[1] ?? "");
    return [
      name,
      { published: (await registry.versions(name)).toSorted(), tagged: tagged.toSorted() },
    ] as const;
  }
}
