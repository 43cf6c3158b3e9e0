import { randomBytes } from "node:crypto";
import { readFile, readlink, stat, symlink } from "node:fs/promises";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPod, type TestPod } from "./testing/pod.ts";
import { execRequest, workloadRequest } from "./testing/shim-requests.ts";
import { failure, finish, readUntil } from "./testing/streams.ts";
import { missingForVM } from "./testing/test-vm.ts";

const missing = missingForVM();
const shared = "/run/kata-containers/shared/containers";
const dirMode = 2147484136;
const bytes = (text: string) => new TextEncoder().encode(text);
const loop = "while :; do sleep 0.1; done";

describe.skipIf(missing !== undefined)(`files and volumes${missing ? ` (${missing})` : ""}`, () => {
  let pod: TestPod;

  beforeAll(async () => {
    pod = await startTestPod();
  });

  afterAll(async () => {
    await pod?.[Symbol.asyncDispose]();
  });

  const file = (path: string, content: Uint8Array, mode = 0o100644) =>
    pod.agent.copyFile({
      path: `${shared}/${path}`,
      fileSize: BigInt(content.length),
      fileMode: mode,
      dirMode,
      data: content,
    });
  const directory = (path: string) =>
    pod.agent.copyFile({ path: `${shared}/${path}`, fileMode: 0o40755, dirMode });
  const link = (path: string, target: string) =>
    pod.agent.copyFile({ path: `${shared}/${path}`, fileMode: 0o120777, dirMode, data: bytes(target) });
  const inVM = (path: string) => pod.vm.path(`${shared}/${path}`);

  describe("CopyFile", () => {
    test("a file with its mode, owner and missing parents", async () => {
      await pod.agent.copyFile({
        path: `${shared}/new/deep/file`,
        fileSize: 3n,
        fileMode: 0o100640,
        dirMode,
        uid: 7,
        gid: 8,
        data: bytes("abc"),
      });
      expect(await readFile(inVM("new/deep/file"), "utf8")).toBe("abc");
      expect(await stat(inVM("new/deep/file"))).toMatchObject({ mode: 0o100640, uid: 7, gid: 8 });
      expect((await stat(inVM("new/deep"))).mode).toBe(0o40750);
    });

    test("2.4 MiB in the recorded pieces; the file appears whole", async () => {
      const content = randomBytes(2_560_000);
      for (const [offset, end] of [
        [0, 1_048_576],
        [1_048_576, 2_097_152],
        [2_097_152, 2_560_000],
      ] as const) {
        await expect(stat(inVM("big.bin"))).rejects.toThrow("ENOENT");
        await pod.agent.copyFile({
          path: `${shared}/big.bin`,
          fileSize: 2_560_000n,
          fileMode: 33188,
          dirMode,
          offset: BigInt(offset),
          data: content.subarray(offset, end),
        });
      }
      expect((await readFile(inVM("big.bin"))).equals(content)).toBe(true);
    });

    test("empty files, and replacement of what is there", async () => {
      await file("replaced", bytes("a long first version"));
      await file("replaced", new Uint8Array());
      expect((await stat(inVM("replaced"))).size).toBe(0);
    });

    test("a ConfigMap, and its update, as seen by a container that has it mounted", async () => {
      await directory("cm");
      await directory("cm/..2026_1");
      await file("cm/..2026_1/key.txt", bytes("one"));
      await link("cm/..data", "..2026_1");
      await link("cm/key.txt", "..data/key.txt");
      const target = await pod.run({
        id: "configmap",
        command: "cat /cm/key.txt; while [ $(cat /cm/key.txt) = one ]; do sleep 0.02; done; cat /cm/key.txt",
        mounts: [
          { destination: "/cm", source: `${shared}/cm`, type: "bind", options: ["rbind", "rprivate", "ro"] },
        ],
      });
      await readUntil(pod.agent, target, "one");
      await directory("cm/..2026_2");
      await file("cm/..2026_2/key.txt", bytes("two"));
      await link("cm/..data", "..2026_2");
      expect(await finish(pod.agent, target)).toMatchObject({ stdout: "two", status: 0 });
      expect(await readlink(inVM("cm/..data"))).toBe("..2026_2");
    });

    test.each([
      ["/etc/evil", "outside"],
      [`${shared}/../../evil`, "dot-dot"],
      [shared, "the directory itself"],
      [`${shared}/`, "an empty name"],
      [`${shared}/a\0b`, "a NUL"],
      ["relative", "a relative path"],
    ])("%j is refused: %s", async (path) => {
      const call = pod.agent.copyFile({ path, fileSize: 1n, fileMode: 0o100644, dirMode, data: bytes("x") });
      expect(await failure(call)).toMatchObject({ code: Code.InvalidArgument });
    });

    test("a link that a container has placed does not lead out", async () => {
      await directory("trap");
      await symlink("/etc", inVM("trap/out"));
      const call = (path: string) =>
        pod.agent.copyFile({
          path: `${shared}/${path}`,
          fileSize: 1n,
          fileMode: 0o100644,
          dirMode,
          data: bytes("x"),
        });
      expect(await failure(call("trap/out/evil"))).toMatchObject({ code: Code.InvalidArgument });
      expect(await failure(call("trap/out/evil-dir/evil"))).toMatchObject({ code: Code.InvalidArgument });
      // A link as the last part is replaced, not followed.
      await symlink("/etc/hostname", inVM("trap/last"));
      await file("trap/last", bytes("mine"));
      expect((await stat(inVM("trap/last"))).isFile()).toBe(true);
      expect(await readFile(inVM("trap/last"), "utf8")).toBe("mine");
    });

    test.each([
      ["a piece out of order", { fileSize: 10n, offset: 5n, data: bytes("x") }],
      ["more than the file", { fileSize: 1n, offset: 0n, data: bytes("xy") }],
      ["a negative offset", { fileSize: 1n, offset: -1n, data: bytes("x") }],
      ["a file of a terabyte", { fileSize: 2n ** 40n, offset: 0n, data: bytes("x") }],
      ["a device", { fileMode: 0o20644 }],
    ])("%s is refused", async (_, fields) => {
      const call = pod.agent.copyFile({ path: `${shared}/odd`, fileMode: 0o100644, dirMode, ...fields });
      expect(await failure(call)).toMatchObject({ code: Code.InvalidArgument });
    });
  });

  describe("emptyDirs", () => {
    const storages = [
      {
        driver: "ephemeral",
        source: "tmpfs",
        fstype: "tmpfs",
        mountPoint: "/run/kata-containers/sandbox/ephemeral/mem",
      },
      {
        driver: "local",
        source: "local",
        fstype: "local",
        options: ["mode=0777", "fsgid=123"],
        mountPoint: `${shared}/sb/rootfs/local/ed`,
      },
    ];
    const mounts = [
      {
        destination: "/ed",
        source: `${shared}/sb/rootfs/local/ed`,
        type: "local",
        options: ["rbind", "rprivate", "rw"],
      },
      {
        destination: "/mem",
        source: "/run/kata-containers/sandbox/ephemeral/mem",
        type: "bind",
        options: ["rbind", "rprivate", "rw"],
      },
    ];

    test("are shared by containers and outlive them", async () => {
      const first = await pod.run({
        id: "writer",
        command: "echo disk >/ed/f; echo mem >/mem/f; stat -c '%a %g' /ed",
        storages,
        mounts,
      });
      expect(await finish(pod.agent, first)).toMatchObject({ stdout: "2777 123\n", status: 0 });
      await pod.agent.removeContainer({ containerId: "writer" });
      const second = await pod.run({ id: "reader", command: "cat /ed/f /mem/f", storages, mounts });
      expect(await finish(pod.agent, second)).toMatchObject({ stdout: "disk\nmem\n", status: 0 });
    });

    test.each([
      ["a driver of devices", { driver: "blk", mountPoint: "/run/kata-containers/x" }, Code.Unimplemented],
      ["a mount point elsewhere", { driver: "local", mountPoint: "/etc" }, Code.InvalidArgument],
      [
        "a mount point that climbs out",
        { driver: "local", mountPoint: "/run/kata-containers/../../etc" },
        Code.InvalidArgument,
      ],
      [
        "a mode that is none",
        { driver: "local", mountPoint: "/run/kata-containers/x", options: ["mode=rwx"] },
        Code.InvalidArgument,
      ],
    ])("%s is refused", async (_, storage, code) => {
      const request = workloadRequest({ id: "refused", command: "true", storages: [storage] });
      expect(await failure(pod.agent.createContainer(request))).toMatchObject({ code });
      // The root file system, attached before, is gone again.
      expect(await pod.vm.shell("grep -c refused /proc/mounts || :")).toBe("0\n");
    });
  });

  describe("what containers share", () => {
    test("/dev/shm, host name and IPC; not processes", async () => {
      await pod.run({ id: "left", command: `echo from left >/dev/shm/f; ${loop}` });
      const right = await pod.run({
        id: "right",
        command:
          "until cat /dev/shm/f 2>/dev/null; do sleep 0.02; done; readlink /proc/self/ns/ipc /proc/self/ns/uts; echo $$",
      });
      const { stdout } = await finish(pod.agent, right);
      await pod.agent.execProcess(execRequest("left", "ns", "readlink /proc/self/ns/ipc /proc/self/ns/uts"));
      const left = await finish(pod.agent, { containerId: "left", execId: "ns" });
      expect(stdout).toBe(`from left\n${left.stdout}1\n`);
      expect(await pod.vm.shell("readlink /proc/self/ns/uts")).not.toBe(left.stdout.split("\n")[1]);
    });

    test("processes, when the pod shares its process namespace", async () => {
      const target = await pod.run({
        id: "sharing",
        sharesPid: true,
        command: "tr '\\0' ' ' </proc/1/cmdline; kill -0 1 && echo $$",
      });
      const { stdout } = await finish(pod.agent, target);
      expect(stdout).toContain("pause");
      expect(stdout.trim().endsWith(" 1")).toBe(false);
    });
  });

  describe("termination log", () => {
    const annotations = { "io.kubernetes.container.terminationMessagePath": "/dev/termination-log" };

    test("is handed out after the end", async () => {
      await file("tl", new Uint8Array());
      const target = await pod.run({
        id: "speaks",
        command: "echo term-msg >/dev/termination-log; exit 7",
        annotations,
        mounts: [
          {
            destination: "/dev/termination-log",
            source: `${shared}/tl`,
            type: "bind",
            options: ["rbind", "rprivate", "rw"],
          },
        ],
      });
      expect(await finish(pod.agent, target)).toMatchObject({ status: 7 });
      const request = { logType: "termination_log", containerId: "speaks" };
      expect(await pod.agent.getDiagnosticData(request)).toMatchObject({ data: "term-msg\n" });
      expect(await failure(pod.agent.getDiagnosticData({ ...request, logType: "x" }))).toMatchObject({
        code: Code.InvalidArgument,
      });
    });

    test("is missing where it was not mounted", async () => {
      await pod.run({ id: "silent", command: loop, annotations });
      expect(
        await failure(pod.agent.getDiagnosticData({ logType: "termination_log", containerId: "silent" })),
      ).toEqual({
        code: Code.Internal,
        message: "termination message mount not found for /dev/termination-log",
      });
    });
  });

  test("volume statistics", async () => {
    const { usage } = await pod.agent.getVolumeStats({ volumeGuestPath: "/run/kata-containers/sandbox/shm" });
    expect(usage.map(({ unit, total }) => [unit, total > 0n])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(usage[0]?.total).toBe(67108864n);
    expect(await failure(pod.agent.getVolumeStats({ volumeGuestPath: "/" }))).toMatchObject({
      code: Code.InvalidArgument,
    });
  });
});
