import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { startRegistry, type Registry, type RegistryOptions } from "./registry.ts";
import { checkoutAt, createMaintainer, createRemote, type Checkout, type Maintainer } from "./repository.ts";
import { packageNames, writeSmallWorkspace } from "./small-workspace.ts";

/** A registry, a remote and a checkout in a temporary directory. */
export interface Stand extends AsyncDisposable {
  readonly dir: string;
  readonly registry: Registry;
  readonly remote: string;
  readonly checkout: Checkout;
  readonly maintainer: Maintainer;
  /** Another clone of the remote, by another maintainer. */
  clone(name: string): Promise<Checkout>;
  /** What is published and tagged, by package: `{ "@peerpods/ttrpc": { published: ["0.1.0"], tagged: [...] } }`. */
  state(): Promise<
    Record<string, { readonly published: readonly string[]; readonly tagged: readonly string[] }>
  >;
}

/** The small workspace, pushed and not released. */
export async function createStand(options: Omit<RegistryOptions, "dir"> = {}): Promise<Stand> {
  const dir = await mkdtemp(join(tmpdir(), "peerpods-release-test-"));
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const registry = parts.use(await startRegistry({ dir: join(dir, "registry"), ...options }));
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
    registry,
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
