import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

const main = join(import.meta.dirname, "../../../../scripts/release/main.ts");

/** The environment of a maintainer: a name for commits, and an npm configuration that names the registry. */
export interface Maintainer {
  readonly env: Record<string, string>;
}

/** @param home An empty directory for their configuration. */
export async function createMaintainer(home: string, registry: string): Promise<Maintainer> {
  await mkdir(home, { recursive: true });
  const npmrc = join(home, ".npmrc");
  // Verdaccio lets anybody publish, but npm wants to be somebody.
  const token = `${registry.replace(/^https?:/, "")}:_authToken=anybody`;
  await writeFile(npmrc, `registry=${registry}\n@peerpods:registry=${registry}\n${token}\n`);
  const person = { NAME: "Maintainer", EMAIL: "maintainer@example.org" };
  return {
    env: {
      NPM_CONFIG_USERCONFIG: npmrc,
      npm_config_userconfig: npmrc,
      npm_config_update_notifier: "false",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      ...Object.fromEntries(
        Object.entries(person).flatMap(([key, value]) => [
          [`GIT_AUTHOR_${key}`, value],
          [`GIT_COMMITTER_${key}`, value],
        ]),
      ),
      // pnpm's own settings of whoever runs the tests are not those of this repository.
      npm_config_registry: registry,
    },
  };
}

/** What a run of the release printed, and how it ended. */
export interface Run {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A clone with a remote, and the release run in it. */
export interface Checkout {
  readonly dir: string;
  git(...args: readonly string[]): Promise<string>;
  /** `pnpm release …` */
  release(...args: readonly string[]): Promise<Run>;
  /** The same, killed with SIGKILL so many milliseconds after it began its nth step. */
  releaseKilledAt(step: number, afterMs: number): Promise<Run>;
  /** Commits everything. */
  commit(message: string): Promise<void>;
  write(path: string, text: string): Promise<void>;
}

/** An empty bare repository, as a remote. */
export async function createRemote(dir: string): Promise<string> {
  await execa("git", ["init", "--quiet", "--bare", "--initial-branch=main", dir]);
  return dir;
}

/** The checkout in `dir`, used by `maintainer`. */
export function checkoutAt(dir: string, { env }: Maintainer): Checkout {
  const options = { cwd: dir, env, stdin: "ignore" } as const;
  const git = async (...args: readonly string[]) => (await execa("git", args, options)).stdout;
  const start = (args: readonly string[]) =>
    execa(process.execPath, [main, ...args], { ...options, reject: false, timeout: 300_000 });
  return {
    dir,
    git,
    async release(...args) {
      const { exitCode, stdout, stderr } = await start(args);
      return { exitCode, stdout, stderr };
    },
    async releaseKilledAt(step, afterMs) {
      const run = start([]);
      let steps = 0;
      run.stdout.on("data", (chunk: Buffer) => {
        steps += chunk.toString().split("\n").length - 1;
        if (steps >= step) setTimeout(() => run.kill("SIGKILL"), afterMs).unref();
      });
      const { exitCode, stdout, stderr } = await run;
      return { exitCode, stdout, stderr };
    },
    async commit(message) {
      await git("add", "--all");
      await git("commit", "--quiet", "-m", message);
    },
    async write(path, text) {
      await mkdir(join(dir, path, ".."), { recursive: true });
      await writeFile(join(dir, path), text);
    },
  };
}
