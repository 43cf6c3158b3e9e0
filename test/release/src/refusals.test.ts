import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStand, writeChange, type Checkout, type Stand } from "./index.ts";

/** What a release and its check refuse, each on a repository that is released and clean but for the one thing. */
let stand: Stand;
beforeAll(async () => {
  stand = await createStand();
  const { exitCode, stderr } = await stand.checkout.release();
  if (exitCode !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => stand?.[Symbol.asyncDispose]());

let clones = 0;
async function clone(): Promise<Checkout> {
  clones += 1;
  return await stand.clone(`clone-${clones}`);
}

describe("pnpm release refuses", () => {
  it.each<{ why: string; spoil: (checkout: Checkout) => Promise<void>; says: RegExp }>([
    {
      why: "changes that are not committed",
      spoil: (checkout) => checkout.write("packages/ttrpc/src/index.js", "export {};\n"),
      says: /not committed:\n M packages\/ttrpc\/src\/index\.js\n {2}-> commit them/,
    },
    {
      why: "commits that are not pushed",
      spoil: async (checkout) => {
        await checkout.write("note", "");
        await checkout.commit("Note");
      },
      says: /main has commits that origin does not have\n {2}-> git push origin main/,
    },
    {
      why: "another branch",
      spoil: async (checkout) => void (await checkout.git("switch", "--quiet", "--create", "topic")),
      says: /on main or on patch\/<name>, not on topic/,
    },
    {
      why: "no branch",
      spoil: async (checkout) => void (await checkout.git("switch", "--quiet", "--detach")),
      says: /not on no branch/,
    },
    {
      why: "a tag that is another one at the remote",
      spoil: async (checkout) => {
        await checkout.git("tag", "--force", "ttrpc/v0.1.0", "HEAD");
      },
      says: /the tag ttrpc\/v0\.1\.0 is \w{12} here and \w{12} at origin: one of them was moved/,
    },
  ])("$why", async ({ spoil, says }) => {
    const before = { state: await stand.state(), tags: await stand.tags() };
    const checkout = await clone();
    await spoil(checkout);
    const { exitCode, stderr } = await checkout.release();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(says);
    expect({ state: await stand.state(), tags: await stand.tags() }).toEqual(before);
  });

  it("what it does not understand", async () => {
    const checkout = await clone();
    for (const words of [["now"], ["--prex"], ["--pre", "Alpha 1"]])
      expect(await checkout.release(...words)).toMatchObject({ exitCode: 1, stdout: "" });
  });
});

describe("pnpm release check refuses", () => {
  it.each<{ why: string; spoil: (checkout: Checkout) => Promise<void>; says: RegExp }>([
    {
      why: "different contracts in adaptor and controller, one of them behind",
      spoil: (checkout) =>
        edit(checkout, "cloud-api-adaptor", (text) =>
          text.replace('providers": "0.1.0', 'providers": "0.0.9'),
        ),
      says: /^@peerpods\/cloud-api-adaptor would resolve @peerpods\/cloud-providers 0\.0\.9 and @peerpods\/peerpod-ctrl 0\.1\.0 0\.1\.0: .*\n@peerpods\/cloud-api-adaptor lags behind: it takes @peerpods\/cloud-providers 0\.0\.9, and 0\.1\.0 is published/m,
    },
    {
      why: "a package that changed since its tag without a change file",
      spoil: (checkout) => checkout.write("packages/ttrpc/src/index.js", "export {};\n"),
      says: /^@peerpods\/ttrpc changed since ttrpc\/v0\.1\.0 \(src\/index\.js\) and has no change file: pnpm changeset/,
    },
    {
      why: "a version that no release gave",
      spoil: (checkout) => edit(checkout, "ttrpc", (text) => text.replace("0.1.0", "0.9.0")),
      says: /^@peerpods\/ttrpc has version 0\.9\.0 in package\.json and no tag for it/,
    },
    {
      why: "a tag on another version than its own",
      spoil: async (checkout) => void (await checkout.git("tag", "ttrpc/v0.5.0")),
      says: /^the tag ttrpc\/v0\.5\.0 is on a commit where @peerpods\/ttrpc has version 0\.1\.0/,
    },
    {
      why: "a tag that was moved after its version was published",
      spoil: async (checkout) =>
        void (await checkout.git("tag", "--force", "cloud-providers/v0.1.0", "HEAD")),
      says: /the tag cloud-providers\/v0\.1\.0 was moved: 0\.1\.0 is published from \w{12}, the tag is \w{12}/,
    },
    {
      why: "a published version whose tag is gone",
      spoil: async (checkout) => void (await checkout.git("tag", "--delete", "provider-x/v0.1.0")),
      says: /^@peerpods\/provider-x 0\.1\.0 is in the registry, and its tag provider-x\/v0\.1\.0 is missing/,
    },
    {
      why: "a release file of another version",
      spoil: (checkout) =>
        checkout.write("packages/ttrpc/src/release.ts", 'export const packageVersion = "0.0.1";\n'),
      says: /^@peerpods\/ttrpc: src\/release\.ts is not what its package\.json says/m,
    },
  ])("$why", async ({ spoil, says }) => {
    const checkout = await clone();
    await spoil(checkout);
    const { exitCode, stderr } = await checkout.release("check");
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(1);
  });

  it("a contract that breaks without the step that says so, and takes it with one", async () => {
    const checkout = await clone();
    const report = "packages/cloud-providers/etc/cloud-providers.api.md";
    await checkout.write(report, "```ts\nexport interface Provider {\n    teardown(): void;\n}\n```\n");
    await writeChange(checkout, "reports", { "cloud-providers": "patch" });
    await checkout.commit("Report");
    await checkout.git("push", "--quiet");
    expect(await checkout.release()).toMatchObject({ exitCode: 0 });

    await checkout.write(
      report,
      "```ts\nexport interface Provider {\n    reboot(): void;\n    teardown(): void;\n}\n```\n",
    );
    await writeChange(checkout, "reboot", { "cloud-providers": "patch" });
    const { stderr } = await checkout.release("check");
    expect(stderr).toMatch(
      /cloud-providers breaks its users since .*asks for a minor change file:\n {4}\+ export interface Provider \{: reboot\(\): void;/,
    );
    await writeChange(checkout, "reboot", { "cloud-providers": "minor" });
    expect(await checkout.release("check")).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

async function edit(checkout: Checkout, name: string, change: (text: string) => string): Promise<void> {
  const path = `packages/${name}/package.json`;
  await checkout.write(path, change(await checkout.git("show", `HEAD:${path}`)));
}
