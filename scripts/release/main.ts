/**
 * Releases, tag then bump. See docs/releasing.md.
 *
 * Usage: pnpm release [--dry-run] [--pre <id>] [--remote <name>] [--registry <address>]
 *        pnpm release plan [--pre <id>] …     what would be released, in which order, with which version, and why
 *        pnpm release check …                 what speaks against the state of versions, tags and registry
 */
import { parseArgs } from "node:util";
import { checkRelease } from "./check/check.ts";
import { ReleaseError } from "./errors.ts";
import { gatherFacts } from "./facts/facts.ts";
import { registryAddress } from "./facts/registry.ts";
import { describePlan } from "./plan/describe.ts";
import { lineOf, lineToLookAt } from "./plan/line.ts";
import { planRelease } from "./plan/plan.ts";
import { checkCheckout, currentBranch } from "./preflight.ts";
import { git, type Place } from "./programs.ts";
import { describeStep, release } from "./release.ts";

const commands = ["release", "plan", "check"] as const;

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () =>
    stopping.abort(new Error(`stopped by ${name}; the same command goes on from here`)),
  );

try {
  await run(process.argv.slice(2));
} catch (error) {
  const remedy = error instanceof ReleaseError ? `\n  -> ${error.remedy}` : "";
  process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}${remedy}\n`);
  process.exitCode = 1;
}

async function run(argv: readonly string[]): Promise<void> {
  const { command, options } = parse(argv);
  const here = { dir: process.cwd(), signal: stopping.signal };
  const root: Place = { ...here, dir: await git(here, "rev-parse", "--show-toplevel") };
  const registry = options.registry ?? (await registryAddress(root));
  const branch = options.branch ?? (await currentBranch(root));
  const tell = (line: string): void => void process.stdout.write(`${line}\n`);
  if (command === "check") return await check(root, { registry, remote: options.remote });
  if (command === "release" && !options["dry-run"])
    return await release({ root, remote: options.remote, branch, registry, preId: options.pre, tell });
  if (command === "release") await checkCheckout(root, { remote: options.remote, branch });
  const line = command === "plan" ? lineToLookAt(branch, options.pre) : lineOf(branch, options.pre);
  const steps = planRelease(await gatherFacts(root, registry), line);
  process.stdout.write(describePlan(steps));
  if (command === "release") for (const step of steps) tell(`would ${describeStep(step)}`);
}

async function check(
  root: Place,
  { registry, remote }: { readonly registry: string; readonly remote: string },
): Promise<void> {
  const problems = await checkRelease(root, { registry, remote });
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(problems.length === 0 ? "nothing speaks against a release\n" : "");
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function parse(argv: readonly string[]) {
  const { values, positionals } = (() => {
    try {
      return parseArgs({
        args: [...argv],
        allowPositionals: true,
        options: {
          "dry-run": { type: "boolean", default: false },
          pre: { type: "string" },
          remote: { type: "string", default: "origin" },
          registry: { type: "string" },
          branch: { type: "string" },
        },
      });
    } catch (error) {
      throw usage(error instanceof Error ? error.message : String(error));
    }
  })();
  const [word = "release", ...more] = positionals;
  const command = commands.find((known) => known === word);
  if (command === undefined || more.length > 0) throw usage(`unknown command ${positionals.join(" ")}`);
  return { command, options: values };
}

function usage(problem: string): ReleaseError {
  return new ReleaseError("usage", problem, {
    remedy: "pnpm release [plan | check] [--dry-run] [--pre <id>] [--remote <name>] [--registry <address>]",
  });
}
