import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadProvider, type ProviderSources } from "./load-provider.ts";
import { addCloudProvider, createProviderRegistry } from "./registry.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "peerpods-load-test-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const source = (name: string, version = "1.0") =>
  `export const provider = { name: "${name}", contractVersion: "${version}", summary: "from a file", options: [],
     newProvider: async () => { throw new Error("not in this test"); } };`;

const nothingInstalled = (specifier: string): Promise<never> =>
  Promise.reject(
    Object.assign(new Error(`Cannot find package '${specifier}' imported from main.mjs`), {
      code: "ERR_MODULE_NOT_FOUND",
    }),
  );

function sources(change: Partial<ProviderSources> = {}): ProviderSources {
  return { registry: createProviderRegistry(), env: {}, importPackage: nothingInstalled, ...change };
}

async function plugin(
  text: string,
  file = "mine.mjs",
): Promise<{ path: string; env: Record<string, string> }> {
  const path = join(directory, file);
  await writeFile(path, text, { mode: 0o644 });
  const hash = createHash("sha256").update(text).digest("hex");
  return {
    path,
    env: {
      ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN: "true",
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_PATH: path,
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_HASH: hash,
    },
  };
}

async function failure(name: string, from: ProviderSources): Promise<{ code: string; message: string }> {
  return await loadProvider(name, from).then(
    () => ({ code: "none", message: "" }),
    (error: { code: string; message: string }) => error,
  );
}

describe("by package name", () => {
  it("asks for exactly that package", async () => {
    const module = (await import(`data:text/javascript,${encodeURIComponent(source("aws"))}`)) as unknown;
    const asked: string[] = [];
    const found = await loadProvider(
      "aws",
      sources({ importPackage: (specifier) => (asked.push(specifier), Promise.resolve(module)) }),
    );
    expect(found.summary).toBe("from a file");
    expect(asked).toEqual(["@peerpods/provider-aws"]);
  });

  it("is not asked for what is built in", async () => {
    const registry = createProviderRegistry();
    addCloudProvider(registry, "aws", async () => ({
      ...(await provider(source("aws"))),
      summary: "built in",
    }));
    expect((await loadProvider("aws", sources({ registry }))).summary).toBe("built in");
  });

  it("says what is known when nothing is found", async () => {
    const registry = createProviderRegistry();
    addCloudProvider(registry, "local", () => provider(source("local")));
    const error = await failure("gcp", sources({ registry }));
    expect(error.code).toBe("unknown_provider");
    expect(error.message).toMatch(/local.*@peerpods\/provider-gcp/);
  });

  it("tells a package that is broken from one that is missing", async () => {
    const broken = () =>
      Promise.reject(
        Object.assign(
          new Error("Cannot find package 'sdk' imported from node_modules/@peerpods/provider-aws/index.js"),
          {
            code: "ERR_MODULE_NOT_FOUND",
          },
        ),
      );
    expect((await failure("aws", sources({ importPackage: broken }))).code).toBe("internal");
  });

  it.each(["", "../../etc", "AWS", "aws/x"])(
    "refuses the name %j before anything is imported",
    async (name) => {
      expect((await failure(name, sources())).code).toBe("invalid_config");
    },
  );
});

describe("by file", () => {
  it("runs the file, before a built-in one of the same name, and leaves no copy behind", async () => {
    const { env } = await plugin(source("mine"));
    const registry = createProviderRegistry();
    addCloudProvider(registry, "mine", async () => ({
      ...(await provider(source("mine"))),
      summary: "built in",
    }));
    expect((await loadProvider("mine", sources({ env, registry }))).summary).toBe("from a file");
    expect((await readdir(tmpdir())).filter((name) => name.startsWith("peerpods-plugin-"))).toEqual([]);
  });

  it("follows the links of a mounted volume", async () => {
    const { path, env } = await plugin(source("mine"));
    const mount = join(directory, "mount");
    await mkdir(mount, { mode: 0o755 });
    await symlink(path, join(mount, "mine.mjs"));
    const linked = { ...env, CLOUD_PROVIDER_EXTERNAL_PLUGIN_PATH: join(mount, "mine.mjs") };
    expect((await loadProvider("mine", sources({ env: linked }))).name).toBe("mine");
  });

  it("is ignored unless the switch is exactly true", async () => {
    const { env } = await plugin(source("mine"));
    const off = { ...env, ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN: "TRUE" };
    expect((await failure("mine", sources({ env: off }))).code).toBe("unknown_provider");
  });

  it.each([
    { why: "missing", change: (path: string) => rm(path), says: /cannot be read/ },
    { why: "changed after hashing", change: (path: string) => writeFile(path, "//"), says: /SHA-256/ },
    { why: "writable by its group", change: (path: string) => chmod(path, 0o664), says: /chmod go-w/ },
    { why: "writable by others", change: (path: string) => chmod(path, 0o646), says: /chmod go-w/ },
    { why: "in a directory that others may write", change: () => chmod(directory, 0o777), says: /directory/ },
  ])("refuses a file that is $why", async ({ change, says }) => {
    const { path, env } = await plugin(source("mine"));
    await change(path);
    const error = await failure("mine", sources({ env }));
    expect(error.code).toBe("plugin_refused");
    expect(error.message).toContain(path);
    expect(error.message).toMatch(says);
  });

  it.each([
    { why: "is named for another provider", text: source("mine"), file: "other.mjs", code: "plugin_refused" },
    { why: "throws when imported", text: "throw 'text';", file: "mine.mjs", code: "plugin_refused" },
    {
      why: "exports no provider",
      text: "export const x = 1;",
      file: "mine.mjs",
      code: "unsupported_contract",
    },
    { why: "holds another provider", text: source("other"), file: "mine.mjs", code: "unsupported_contract" },
    {
      why: "has another contract",
      text: source("mine", "2.0"),
      file: "mine.mjs",
      code: "unsupported_contract",
    },
  ])("refuses a file that $why", async ({ text, file, code }) => {
    const { env } = await plugin(text, file);
    expect((await failure("mine", sources({ env }))).code).toBe(code);
  });

  // Vitest has an import of its own; this is Node's.
  it.each([
    ["runs a good file", source("mine"), "mine"],
    ["refuses what cannot be parsed", "export {", "plugin_refused"],
    ["refuses what needs another package", 'import "zod";', "plugin_refused"],
  ])("in a process of its own: %s", async (_what, text, expected) => {
    const { env } = await plugin(text);
    const script = `import { loadProvider } from ${JSON.stringify(import.meta.resolve("./load-provider.ts"))};
      import { createProviderRegistry } from ${JSON.stringify(import.meta.resolve("./registry.ts"))};
      const registry = createProviderRegistry();
      const sources = { registry, env: process.env, importPackage: (name) => import(name) };
      console.log(await loadProvider("mine", sources).then((found) => found.name, (error) => error.code));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", script],
      { env, timeout: 30_000 },
    );
    expect(stdout.trim()).toBe(expected);
  });

  it("runs the very bytes that were hashed, whatever the file holds by then", async () => {
    // It tells what stood in the file that was run, and changes the file that was named.
    const { path, env } = await plugin(
      `import { createHash } from "node:crypto";
       import { readFileSync, writeFileSync } from "node:fs";
       const own = readFileSync(new URL(import.meta.url));
       writeFileSync(process.env.PLUGIN_NAMED, "throw new Error('the other bytes');");
       ${source("mine").replace('"from a file"', 'createHash("sha256").update(own).digest("hex")')}`,
    );
    const script = `import { loadProvider } from ${JSON.stringify(import.meta.resolve("./load-provider.ts"))};
      import { createProviderRegistry } from ${JSON.stringify(import.meta.resolve("./registry.ts"))};
      const sources = { registry: createProviderRegistry(), env: process.env, importPackage: (name) => import(name) };
      console.log((await loadProvider("mine", sources)).summary);
      console.log(await loadProvider("mine", sources).then(() => "loaded again", (error) => error.code));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", script],
      { env: { ...env, PLUGIN_NAMED: path }, timeout: 30_000 },
    );
    expect(stdout.trim().split("\n")).toEqual([env["CLOUD_PROVIDER_EXTERNAL_PLUGIN_HASH"], "plugin_refused"]);
  });

  it("names both settings when both are missing", async () => {
    const error = await failure("mine", sources({ env: { ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN: "true" } }));
    expect(error.code).toBe("invalid_config");
    expect(error.message).toMatch(/_PATH: .*\n.*_HASH: /);
  });
});

async function provider(text: string) {
  const module = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
    provider: Awaited<ReturnType<typeof loadProvider>>;
  };
  return module.provider;
}
