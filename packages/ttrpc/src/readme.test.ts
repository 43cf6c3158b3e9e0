import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const folder = new URL("..", import.meta.url).pathname;

test("the README's example prints what the README says", async () => {
  const readme = await readFile(`${folder}README.md`, "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1];
  const output = /prints\n\n```\n(.*?)```/s.exec(readme)?.[1];
  expect(example).toBeDefined();
  const running = run(
    process.execPath,
    ["--conditions=@peerpods/source", "--input-type=module-typescript", "--eval", example ?? ""],
    { cwd: folder, timeout: 20_000 },
  );
  expect((await running).stdout).toBe(output);
});
