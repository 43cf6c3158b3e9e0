import { access, chown, copyFile, mkdir, mkdtemp, readFile, readdir, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseMountInfo, visibleMounts } from "./host/mount-info.ts";

/** Nobody's: it has no name, no home and no file of this machine. */
const uid = 54_321;
const wrapper = fileURLToPath(new URL("../../../scripts/rootless.mjs", import.meta.url));
const program = fileURLToPath(new URL("testing/rootless-program.ts", import.meta.url));
const asUser = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups"];

const unified = visibleMounts(parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"))).find(
  ({ fsType }) => fsType === "cgroup2",
)?.mountPoint;

async function missing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root, to become another user and delegate a cgroup to it";
  if (unified === undefined) return "needs a cgroup2 mount";
  const namespaces = await execa("setpriv", [...asUser, "unshare", "--user", "--map-root-user", "true"], {
    reject: false,
  });
  if (namespaces.exitCode !== 0) return `needs user namespaces for users: ${namespaces.stderr}`;
  const sources = await execa("setpriv", [...asUser, "test", "-r", program], { reject: false });
  return sources.exitCode === 0 ? undefined : "needs the sources where other users can read them";
}

/** Runs the wrapper as that user, within a cgroup. */
async function rootless(command: readonly string[], options: { cgroup: string; home: string }) {
  // A copy, since the one that runs this test may lie where only root can go.
  const node = join(options.home, "node");
  const entered = `echo 0 >${options.cgroup}/cgroup.procs; exec setpriv ${asUser.join(" ")} "$@"`;
  return await execa(
    "sh",
    ["-c", entered, "sh", node, wrapper, ...command.map((word) => word.replace(/^node$/, node))],
    {
      reject: false,
      timeout: 110_000,
      env: { HOME: options.home, XDG_CACHE_HOME: "", LOCAL_CACHE_DIR: "" },
    },
  );
}

async function userHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "peerpods-user-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await chown(home, uid, uid);
  await copyFile(process.execPath, join(home, "node"));
  return home;
}

const reason = await missing();
describe.skipIf(reason !== undefined)(
  `without root (${reason ?? "as a user with a delegated cgroup"})`,
  () => {
    it("makes a pod VM and removes it, and says which limits it has not", async () => {
      const cgroup = join(unified ?? "", `peerpods-rootless-${process.pid}`);
      await mkdir(cgroup);
      onTestFinished(() => rmdir(cgroup));
      for (const file of ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"])
        await chown(join(cgroup, file), uid, uid);
      const home = await userHome();
      const command = ["node", "--conditions=@peerpods/source", program];
      const { stdout, stderr, exitCode } = await rootless(command, { cgroup, home });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      const told = JSON.parse(stdout) as {
        findings: { severity: string; subject: string }[];
        addresses: string[];
      };
      expect(told).toMatchObject({ addresses: [expect.stringMatching(/^10\.213\./)], uid: 0 });
      const controllers = (await readFile(join(cgroup, "cgroup.controllers"), "utf8")).trim().split(" ");
      const all = ["cpu", "memory", "pids"].every((controller) => controllers.includes(controller));
      expect(told.findings.map(({ severity, subject }) => `${severity} ${subject}`)).toEqual(
        all ? [] : ["warning cgroups"],
      );
      expect((await readdir(cgroup, { withFileTypes: true })).filter((entry) => entry.isDirectory())).toEqual(
        [],
      );
      await expect(access("/sys/class/net/uplink")).rejects.toMatchObject({ code: "ENOENT" });
    });

    it("says in one line what is missing when no cgroup is delegated", async () => {
      const home = await userHome();
      const { stderr, exitCode } = await rootless(["true"], { cgroup: unified ?? "", home });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^pod VMs need a cgroup that this user may divide.*Delegate=yes.*$/);
    });
  },
);
