// Runs a command as root of namespaces of its own, for users who are not root: `node scripts/rootless.mjs COMMAND...`.
// In there are users, processes, mounts, network and cgroups of its own; when the command ends, everything in it ends.
// Plain JavaScript on purpose: the bootstrap uses it before anything is installed.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmdirSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const IN_SCOPE = "PEERPODS_ROOTLESS_SCOPE";

/**
 * In the namespaces: file systems that show them; a place for sockets and network namespaces; a cgroup for the processes
 * that are there, since a cgroup with children must not hold any itself; and an interface with the default route, which
 * leads nowhere, because the tunnel to a pod VM begins at a worker node's primary interface. The shell stays, as the first process
 * of its namespace: it reaps what loses its parent.
 */
const inside = `set -e
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/host
echo $$ >/sys/fs/cgroup/host/cgroup.procs
echo 0 >/sys/fs/cgroup/host/cgroup.procs
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/netns /run/lock
ip -batch - <<'END'
link set lo up
link add name uplink up type veth peer name nowhere
link set dev nowhere up
address add 192.0.2.2/24 dev uplink
route add default via 192.0.2.1 dev uplink
END
set +e
"$@"
exit $?
`;

/** The reason why this user cannot have such namespaces, with the remedy; undefined when all is well. */
export function rootlessProblem() {
  const tried = spawnSync("unshare", [...namespaces(), "--", "true"], { encoding: "utf8" });
  if (tried.error?.code === "ENOENT") return "unshare is missing; install the package util-linux";
  if (tried.status !== 0)
    return `${namespaceProblem(tried.stderr.trim())}; or run it as root, e.g. with sudo`;
  return undefined;
}

/** Starts the command in namespaces of its own and resolves with its exit code. */
export async function runRootless(command, env = process.env) {
  const problem = rootlessProblem();
  if (problem !== undefined) throw new Error(problem);
  const cgroup = ownCgroup();
  if (cgroup === undefined) {
    if (env[IN_SCOPE] !== "1" && canMakeScope()) return await runInScope(command, env);
    throw new Error(
      "pod VMs need a cgroup that this user may divide, and none has been delegated; start it as root, or in a session " +
        "of systemd with `systemd-run --user --scope -p Delegate=yes` in front",
    );
  }
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "peerpods", "local");
  const code = await exitCodeOf(
    "unshare",
    [...namespaces(), "--kill-child", "--", "sh", "-c", inside, "rootless", ...command],
    { ...env, LOCAL_CACHE_DIR: env.LOCAL_CACHE_DIR || cache, PATH: `${env.PATH}:/usr/sbin:/sbin` },
  );
  try {
    rmdirSync(join(cgroup, "host"));
  } catch (error) {
    // Another command of this user may run in it.
    if (error.code !== "EBUSY" && error.code !== "ENOENT") throw error;
  }
  return code;
}

/** More than one user where the machine's administrator has provided for it, so that images keep their owners. */
function namespaces() {
  const username = userName();
  const has = (file) => existsSync(file) && readFileSync(file, "utf8").includes(`${username}:`);
  const users =
    existsSync("/usr/bin/newuidmap") && has("/etc/subuid") && has("/etc/subgid")
      ? ["--map-root-user", "--map-auto"]
      : ["--map-root-user"];
  return [
    "--user",
    ...users,
    "--mount",
    "--net",
    "--uts",
    "--ipc",
    "--cgroup",
    "--pid",
    "--fork",
    "--mount-proc",
  ];
}

function userName() {
  try {
    return userInfo().username;
  } catch {
    // A user id that no name belongs to; nothing can have been provided for it by name.
    return String(process.getuid());
  }
}

function namespaceProblem(stderr) {
  const setting = (path) => (existsSync(path) ? readFileSync(path, "utf8").trim() : undefined);
  const refused = "this kernel does not let users make namespaces of their own";
  if (setting("/proc/sys/kernel/unprivileged_userns_clone") === "0")
    return `${refused}; allow it with: sudo sysctl -w kernel.unprivileged_userns_clone=1`;
  if (setting("/proc/sys/user/max_user_namespaces") === "0")
    return `${refused}; allow it with: sudo sysctl -w user.max_user_namespaces=10000`;
  if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1")
    return `${refused} (AppArmor); allow it with: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`;
  return `${refused} (${stderr}); in a container, allow it when the container is made`;
}

/** The directory of this process' cgroup in the cgroup2 tree, if this user may make others in it. */
function ownCgroup() {
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
  const mount = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.includes(" - cgroup2 "))
    ?.split(" ")[4];
  if (path === undefined || mount === undefined) return undefined;
  const directory = join(mount, path);
  try {
    accessSync(directory, constants.W_OK);
    accessSync(join(directory, "cgroup.procs"), constants.W_OK);
    return directory;
  } catch {
    return undefined;
  }
}

function canMakeScope() {
  return (
    spawnSync("systemd-run", ["--user", "--scope", "--quiet", "-p", "Delegate=yes", "true"]).status === 0
  );
}

function runInScope(command, env) {
  const again = [process.execPath, fileURLToPath(import.meta.url), ...command];
  return exitCodeOf("systemd-run", ["--user", "--scope", "--quiet", "-p", "Delegate=yes", "--", ...again], {
    ...env,
    [IN_SCOPE]: "1",
  });
}

/** Signals go to the whole group: unshare itself ignores them. */
function exitCodeOf(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", env });
    const pass = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, pass);
    child.once("error", reject);
    child.once("exit", (code) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, pass);
      resolve(code ?? 1);
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (process.argv.length < 3) throw new Error("usage: node scripts/rootless.mjs COMMAND...");
    process.exitCode = await runRootless(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
