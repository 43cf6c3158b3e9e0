// Makes `npm run demo` and `npm test` work from a clean clone: any Node from 18 on starts it, Node 24 and pnpm
// come through npx, missing system packages through apt. Nothing is installed globally but those packages.
// Plain JavaScript on purpose: it runs before anything is installed and on an older Node.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingPackages } from "./system-packages.mjs";

const NODE = "24.21.0";
const PNPM = "12.21.0";
const root = fileURLToPath(new URL("..", import.meta.url));
const [task, ...rest] = process.argv.slice(2);

const tasks = {
  demo: { packages: "demo", run: ["node", "test/e2e/src/demo.ts"] },
  test: { packages: "test", run: ["vitest", "run"] },
};

if (process.platform !== "linux")
  fail("Peer pods need Linux: a pod VM is joined to a Linux network namespace. Run this on a Linux machine.");
if (!(task in tasks)) fail(`usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join("|")} [arguments]`);

if (process.env.PEERPODS_TOOLCHAIN === NODE) inside();
else outside();

/** With whatever Node the user has: system packages, then the same script again under the pinned toolchain. */
function outside() {
  installPackages(missingPackages(tasks[task].packages));
  const toolchain = [`-p`, `node@${NODE}`, `-p`, `pnpm@${PNPM}`];
  const again = ["node", "scripts/bootstrap.mjs", task, ...rest].map(quote).join(" ");
  run("npx", ["--yes", "--prefer-offline", ...toolchain, "-c", again], {
    env: { PEERPODS_TOOLCHAIN: NODE, npm_config_update_notifier: "false" },
  });
}

/** With Node 24 and pnpm: dependencies from the lockfile, build what changed, run. */
function inside() {
  const bin = join(root, "node_modules", ".bin");
  const path = { PATH: `${bin}${delimiter}${process.env.PATH}` };
  run("pnpm", ["install", "--frozen-lockfile", "--prefer-offline", "--reporter=silent"]);
  run("turbo", ["run", "build", "--output-logs=errors-only", "--log-order=stream"], {
    env: { ...path, TURBO_TELEMETRY_DISABLED: "1", TURBO_PRINT_VERSION_DISABLED: "1" },
  });
  // Pod VMs need root, or namespaces in which a user is root. Tests say themselves what they cannot do.
  const rootless = task === "demo" && process.getuid() !== 0 ? ["node", "scripts/rootless.mjs"] : [];
  const [program, ...args] = [...rootless, ...tasks[task].run];
  run(program, [...args, ...rest], { env: path });
}

function installPackages(missing) {
  if (missing.length === 0) return;
  const names = missing.map((p) => p.name).join(" ");
  const command = `apt-get install -y --no-install-recommends ${names}`;
  if (process.env.PEERPODS_NO_APT === "1")
    fail(
      `Missing system packages (PEERPODS_NO_APT=1, so nothing was installed): ${names}\nInstall them with: ${command}`,
    );
  if (process.getuid() !== 0)
    fail(`Missing system packages: ${names}\nInstall them as root: sudo ${command}`);
  if (!onPath("apt-get"))
    fail(`Missing system packages, and there is no apt-get here to install them: ${names}`);
  process.stdout.write(`Installing system packages: ${names}\n`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing.map((p) => p.name)], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function run(program, args, { env = {}, stdio = "inherit" } = {}) {
  const result = spawnSync(program, args, { cwd: root, stdio, env: { ...process.env, ...env } });
  if (result.error) fail(`cannot run ${program}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function onPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
