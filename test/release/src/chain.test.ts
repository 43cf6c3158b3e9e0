import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStand, packageNames, writeChange, type Run, type Stand } from "./index.ts";
import { seededRandom } from "./seeded-random.ts";

/**
 * One repository over some releases, each test where the one before left it: what a release does with the state that
 * others left is what these tests are about.
 */
let stand: Stand;
beforeAll(async () => {
  stand = await createStand();
}, 60_000);
afterAll(() => stand?.[Symbol.asyncDispose]());

const kills = process.env["PEERPODS_SOAK"] === "1" ? 25 : 3;
const seed = Number(process.env["PEERPODS_SEED"] ?? 1);
const timeout = 120_000 + kills * 20_000;

describe("a chain of releases", { timeout }, () => {
  it("plans and checks without touching anything, releases all at their versions, and then has nothing to do", async () => {
    const { checkout } = stand;
    const before = await checkout.git("rev-parse", "HEAD", "origin/main");
    const plan = await checkout.release("plan");
    expect(plan.stdout).toMatch(/1 +@peerpods\/cloud-providers +- +0\.1\.0 +never released\n/);
    const dry = await checkout.release("--dry-run");
    expect(dry.stdout).toContain(
      "would tag cloud-providers/v0.1.0\nwould publish @peerpods/cloud-providers 0.1.0\n",
    );
    expect(await checkout.git("rev-parse", "HEAD", "origin/main")).toBe(before);
    expect(await checkout.git("tag")).toBe("");
    expect(await stand.registry.versions("@peerpods/cloud-providers")).toEqual([]);

    expectReleased(await checkout.release());
    expect(await stand.state()).toEqual(all({ published: ["0.1.0"], tagged: ["0.1.0"] }));
    expect(await checkout.release()).toMatchObject({ exitCode: 0, stdout: "everything is released" });
    expect(await checkout.release("check")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await checkout.git("status", "--porcelain")).toBe("");
  });

  it(`killed at ${kills} points and run again ends as if nothing had been, seed ${seed}`, async () => {
    const { checkout } = stand;
    const random = seededRandom(seed);
    const expected = await stand.state();
    let version = 1;
    for (let left = kills; left > 0;) {
      version += 1;
      await contractChanges(`round-${version}`);
      for (;;) {
        const run =
          left > 0
            ? await checkout.releaseKilledAt(1 + Math.floor(random() * 6), Math.floor(random() * 1_500))
            : await checkout.release();
        left -= 1;
        if (run.exitCode === 0) break;
        // A kill, and nothing that the kills before it could have caused.
        expect(run).toMatchObject({ exitCode: undefined, stderr: "" });
      }
      add(expected, "cloud-providers", `0.${version}.0`);
      for (const name of ["peerpod-ctrl", "provider-x", "cloud-api-adaptor"])
        add(expected, name, `0.1.${version - 1}`);
      expect(await stand.state()).toEqual(expected);
      expect(await checkout.release("check")).toMatchObject({ exitCode: 0, stderr: "" });
    }
    // What the last of the chain resolves is what was published.
    expect(await manifest("cloud-api-adaptor")).toMatchObject({
      version: `0.1.${version - 1}`,
      dependencies: {
        "@peerpods/cloud-providers": `0.${version}.0`,
        "@peerpods/peerpod-ctrl": `0.1.${version - 1}`,
        "@peerpods/ttrpc": "workspace:^",
      },
    });
    expect(await checkout.git("show", "HEAD:pnpm-lock.yaml")).toContain("link:../cloud-providers");
  });

  it("two at the same time release everything once", async () => {
    const before = await stand.state();
    await contractChanges("raced");
    const other = await stand.clone("other");
    const runs = await Promise.all([stand.checkout.release(), other.release()]);
    const losers = runs.filter(({ exitCode }) => exitCode !== 0).map(({ stderr }) => stderr.split("\n")[0]);
    expect(new Set(["release: somebody else pushed to main meanwhile", ...losers]).size).toBe(1);
    // Whoever lost goes on from what the other has done by then.
    for (const checkout of [stand.checkout, other]) expectReleased(await checkout.release());
    const after = await stand.state();
    for (const name of packageNames.filter((one) => one !== "@peerpods/ttrpc")) {
      expect(after[name]?.published).toHaveLength((before[name]?.published.length ?? 0) + 1);
      expect(after[name]?.tagged).toEqual(after[name]?.published);
    }
  });

  it("pre-releases count up, keep their change files, and lead to the release", async () => {
    const { checkout, registry } = stand;
    await packageChanges("ttrpc", "wider", "minor");
    expectReleased(await checkout.release("--pre", "alpha"));
    expect(await checkout.release("--pre", "alpha")).toMatchObject({
      exitCode: 0,
      stdout: "everything is released",
    });
    await checkout.write("packages/ttrpc/src/index.js", "export const wider = 2;\n");
    await push("Wider still");
    expectReleased(await checkout.release("--pre", "alpha"));
    expect(await registry.versions("@peerpods/ttrpc")).toEqual(["0.1.0", "0.2.0-alpha.1", "0.2.0-alpha.2"]);
    expect(await registry.distTags("@peerpods/ttrpc")).toEqual({ latest: "0.1.0", alpha: "0.2.0-alpha.2" });
    expect(await checkout.git("ls-files", ".changeset")).toContain("wider.md");

    expectReleased(await checkout.release());
    expect(await registry.distTags("@peerpods/ttrpc")).toEqual({ latest: "0.2.0", alpha: "0.2.0-alpha.2" });
    expect(await checkout.git("ls-files", ".changeset")).toBe(".changeset/config.json");
    const changelog = await checkout.git("show", "HEAD:packages/ttrpc/CHANGELOG.md");
    expect(changelog).toMatch(/## 0\.2\.0\n\n### Minor Changes\n\n- [0-9a-f]{7}: Change wider\n/);
  });

  it("an older version gets a patch from a branch of its own, beside the newest", async () => {
    const { checkout, registry } = stand;
    await checkout.git("switch", "--quiet", "--create", "patch/0.1", "cloud-api-adaptor/v0.1.0");
    await writeChange(checkout, "mended", { ttrpc: "patch" });
    await checkout.write("packages/ttrpc/src/index.js", "export const mended = true;\n");
    await checkout.commit("Mend");
    await checkout.git("push", "--quiet", "--set-upstream", "origin", "patch/0.1");
    const run = await checkout.release();
    expect(run.stdout).toContain("tag ttrpc/v0.1.1\npublish @peerpods/ttrpc 0.1.1");
    expect(await registry.distTags("@peerpods/ttrpc")).toMatchObject({
      latest: "0.2.0",
      "patch-0.1": "0.1.1",
    });
    await checkout.git("switch", "--quiet", "main");
  });

  it("what the registry refuses is published when it is asked again, from the same tag", async () => {
    const { checkout } = stand;
    await stand.deny(["@peerpods/peerpod-ctrl"]);
    await contractChanges("refused");
    const refused = await checkout.release();
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(
      /^release: the registry refuses peerpods-peerpod-ctrl-.*\.tgz:\nnpm error/,
    );
    expect(refused.stderr).toContain("the tag stays and is published then");
    const tags = await stand.tags();
    await stand.deny([]);
    expectReleased(await checkout.release());
    expect(await stand.tags()).toMatchObject(tags);
    expect(await checkout.release("check")).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

function expectReleased(run: Run): void {
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(run.stdout).toMatch(/everything is released$/);
}

async function contractChanges(id: string): Promise<void> {
  await packageChanges("cloud-providers", id, "minor");
}

/** A change of one package, with its change file, pushed. */
async function packageChanges(name: string, id: string, bump: string): Promise<void> {
  await writeChange(stand.checkout, id, { [name]: bump });
  await stand.checkout.write(`packages/${name}/src/index.js`, `export const change = "${id}";\n`);
  await push(`Change ${id}`);
}

async function push(message: string): Promise<void> {
  const { checkout } = stand;
  // A release that was killed had pushed.
  await checkout.git("pull", "--quiet", "--ff-only");
  await checkout.commit(message);
  await checkout.git("push", "--quiet");
}

async function manifest(name: string): Promise<unknown> {
  return JSON.parse(await stand.checkout.git("show", `HEAD:packages/${name}/package.json`)) as unknown;
}

function all<T>(value: T): Record<string, T> {
  return Object.fromEntries(packageNames.map((name) => [name, value]));
}

function add(
  state: Record<string, { published: readonly string[]; tagged: readonly string[] }>,
  name: string,
  version: string,
): void {
  const key = `@peerpods/${name}`;
  const versions = [...(state[key]?.published ?? []), version].toSorted();
  state[key] = { published: versions, tagged: versions };
}
