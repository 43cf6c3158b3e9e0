/**
 * `npm run demo`: one container in a pod VM on this machine, from nothing to nothing, told step by step. Everything it
 * makes has a name of its own and is gone at the end, also when a step fails.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { playDemo } from "./demo/play.ts";

const interrupted = new AbortController();
// `on`, not `once`: with no listener left, the child process library would end this process by the same signal.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupted.abort());
// Output that nobody reads any more, as behind `| head`, ends the demo in order like an interrupt.
process.stdout.on("error", () => interrupted.abort());

const started = performance.now();
// Short, since paths of unix sockets may have 107 characters and a sandbox id takes 64 of them.
const directory = await mkdtemp("/tmp/ppdemo-");
try {
  await playDemo({
    directory,
    id: randomBytes(2).toString("hex"),
    say: (line) => process.stdout.write(`${line}\n`),
    signal: interrupted.signal,
  });
  process.stdout.write(`\nThe demo took ${((performance.now() - started) / 1000).toFixed(1)} s.\n`);
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
