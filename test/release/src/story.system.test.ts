import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { playDemo } from "../../e2e/src/demo/play.ts";
import {
  checkoutAt,
  createMaintainer,
  createRemote,
  startRegistry,
  type Checkout,
  type Registry,
} from "./index.ts";
import { commandsOf } from "./stand/guide.ts";

const root = join(import.meta.dirname, "../../..");

/**
 * The whole documented story, with this repository: its guides are followed word for word, against a registry and a remote of
 * our own, and what comes out of the registry is installed and runs a container.
 */
describe("a new provider, and the chain", { timeout: 900_000 }, () => {
  const parts = new AsyncDisposableStack();
  let dir: string;
  let registry: Registry;
  let checkout: Checkout;
  let env: Record<string, string>;
  let installed: string;
  let adaptor: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "peerpods-story-"));
    parts.defer(() => rm(dir, { recursive: true, force: true }));
    registry = parts.use(await startRegistry({ dir: join(dir, "registry") }));
    const maintainer = await createMaintainer(join(dir, "home"), registry.address);
    env = maintainer.env;
    installed = join(dir, "installed");
    adaptor = join(installed, "node_modules/@peerpods/cloud-api-adaptor");
    const remote = await createRemote(join(dir, "remote.git"));
    checkout = checkoutAt(join(dir, "checkout"), maintainer);
    await copyRepository(checkout.dir);
    await checkout.git("init", "--quiet", "--initial-branch=main");
    await checkout.git("remote", "add", "origin", remote);
    await checkout.commit("As it is");
    await checkout.git("push", "--quiet", "--set-upstream", "origin", "main");
    await follow("pnpm install --frozen-lockfile --prefer-offline\n");
  });
  afterAll(() => parts.disposeAsync());

  it("scaffolds the provider, which passes the kit and touches nothing outside its folder", async () => {
    await follow(await commandsOf("adding-a-provider.md", "1. A package that passes the kit"));
    const touched = (await checkout.git("status", "--porcelain")).split("\n");
    expect(touched.map((line) => line.slice(3)).toSorted()).toEqual([
      "packages/provider-acme/",
      "pnpm-lock.yaml",
    ]);
    await follow("pnpm --filter @peerpods/provider-acme run check:type\n");
  });

  it("tags and publishes it with all that was never released", async () => {
    const output = await follow(await commandsOf("adding-a-provider.md", "7. Tag"));
    expect(output).toContain("tag provider-acme/v0.1.0\npublish @peerpods/provider-acme 0.1.0\n");
    expect(await registry.versions("@peerpods/provider-acme")).toEqual(["0.1.0"]);
    expect(await checkout.git("status", "--porcelain")).toBe("");
  });

  it("moves the chain: tag, controller bump, tag, adaptor bump, tag", async () => {
    const output = await follow(
      await commandsOf("adding-a-provider.md", "8. When the contract has to change for it"),
    );
    expect(output.split("\n").filter((line) => /^(tag|publish|take) /.test(line))).toEqual([
      "tag cloud-providers/v0.1.1",
      "publish @peerpods/cloud-providers 0.1.1",
      "take @peerpods/cloud-providers 0.1.1 in @peerpods/peerpod-ctrl",
      "tag peerpod-ctrl/v0.1.1",
      "publish @peerpods/peerpod-ctrl 0.1.1",
      "take @peerpods/cloud-providers 0.1.1, @peerpods/peerpod-ctrl 0.1.1 in @peerpods/cloud-api-adaptor",
      "tag cloud-api-adaptor/v0.1.1",
      "publish @peerpods/cloud-api-adaptor 0.1.1",
    ]);
    expect(await follow(await commandsOf("releasing.md", "A normal release"))).toMatch(
      /nothing speaks against a release\n[^]*nothing to release\n[^]*everything is released/,
    );
  });

  it("installs from the registry with plain npm, without install scripts, what belongs together", async () => {
    await mkdir(installed);
    const packages = ["@peerpods/cloud-api-adaptor", "@peerpods/provider-acme"];
    await execa("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...packages], {
      cwd: installed,
      env,
    });
    const run = (...words: readonly string[]) =>
      execa(process.execPath, [join(adaptor, "dist/main.js"), ...words], { cwd: installed, reject: false });
    expect((await run("version")).stdout).toMatch(
      /^cloud-api-adaptor version 0\.1\.1\n.*\n.*\n {2}cloud-providers: 0\.1\.1\n {2}peerpod-ctrl: 0\.1\.1, with cloud-providers 0\.1\.1$/,
    );
    expect((await run("acme", "-help")).stderr).toContain("-acme-endpoint");
    const manifest = JSON.parse(await readFile(join(adaptor, "package.json"), "utf8")) as object;
    expect(manifest).toMatchObject({
      gitHead: await checkout.git("rev-parse", "cloud-api-adaptor/v0.1.1^{commit}"),
    });
  });

  it("runs a container from what is installed", async () => {
    const said: string[] = [];
    // A short path of its own: sockets of sandboxes lie below it.
    const directory = await mkdtemp(join(tmpdir(), "pps-"));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    await playDemo({
      directory,
      id: randomBytes(2).toString("hex"),
      say: (line) => void said.push(line),
      adaptor,
    });
    expect(said.join("\n")).toContain("hello from the container");
  });

  /** Runs the commands of a page in the checkout. Its standard output. */
  async function follow(commands: string): Promise<string> {
    const path = `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
    const { stdout } = await execa("bash", ["-euo", "pipefail", "-c", commands], {
      cwd: checkout.dir,
      env: { ...env, PATH: path, CI: undefined },
      timeout: 600_000,
    });
    return `${stdout}\n`;
  }
});

/** The repository as it is here, uncommitted changes included, without its history. */
async function copyRepository(into: string): Promise<void> {
  await mkdir(into);
  const list = "git ls-files --cached --others --exclude-standard -z | xargs -0 ls -d 2>/dev/null";
  await execa("bash", ["-c", `${list} | tar --create --files-from - | tar --extract --directory '${into}'`], {
    cwd: root,
  });
}
