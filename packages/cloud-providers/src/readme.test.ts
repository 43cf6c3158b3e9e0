import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

it("the README's examples run", { timeout: 120_000 }, async () => {
  const readme = await readFile(`${root}/README.md`, "utf8");
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
  const outputs = await Promise.all(examples.map(run));
  expect(outputs).toHaveLength(2);
  expect(outputs[0]).toMatch(
    /^i-\S+ \[ '10\.\S+' \]\n\{ instances: 0, interfaces: 0, disks: 0, addresses: 0 \}\n$/,
  );
  expect(outputs[1]).toMatch(/ passed, 0 failed, 0 not offered, 0 skipped\./);
});

/** In Node itself, as a user would, and against the sources. */
async function run(code: string): Promise<string> {
  const args = ["--conditions=@peerpods/source", "--input-type=module-typescript", "--eval", code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 100_000 });
  return stdout;
}
