import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { missingLibvirtd, startLibvirtd, type Libvirtd } from "@peerpods/libvirt-stand-in";
import { kernelArguments } from "@peerpods/podvm/image";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTestPodVMImage } from "./stage/podvm-image.ts";

const image = "localhost/try";
const adaptor = dirname(createRequire(import.meta.url).resolve("@peerpods/cloud-api-adaptor/package.json"));
const missing = await missingLibvirtd();
/** A boot takes 10 s on an idle machine; emulation shares two CPUs with whatever else runs. */
const BOOT_TIMEOUT_MS = 480_000;

describe.skipIf(missing !== undefined)(
  `peerpods on provider libvirt, with a VM under emulation${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let libvirtd: Libvirtd | undefined;
    const running = () => {
      if (libvirtd === undefined) throw new Error("libvirtd did not start");
      return libvirtd;
    };
    let flags: readonly string[];

    const peerpods = async (words: readonly string[]) => {
      const { exitCode, stdout, stderr } = await execa(
        process.execPath,
        [join(adaptor, "dist/peerpods.js"), ...words],
        { reject: false, timeout: BOOT_TIMEOUT_MS, stdin: "ignore" },
      );
      return { exitCode, stdout, stderr };
    };

    beforeAll(async () => {
      const { kernel, initrd } = await buildTestPodVMImage(image);
      libvirtd = await startLibvirtd();
      const { qemuUri, pool, network } = running();
      await running().virsh(qemuUri, ["vol-create-as", pool, "podvm-base.qcow2", "64M", "--format", "qcow2"]);
      flags = [
        ...["-uri", qemuUri, "-pool-name", pool, "-network-name", network, "-domain-type", "qemu"],
        ...[
          "-boot-firmware",
          "bios",
          "-disk-bus",
          "virtio",
          "-cpu",
          "2",
          "-memory",
          "1024",
          "-root-disk-size",
          "1",
        ],
        ...["-kernel", kernel, "-initrd", initrd, "-kernel-args", kernelArguments, "-address-timeout", "5m"],
      ];
    });
    afterAll(async () => await libvirtd?.[Symbol.asyncDispose]());

    it("doctor asks libvirt, and names what will not work with a remedy", async () => {
      const findings = async (more: readonly string[]) => {
        const { stdout } = await peerpods(["--json", "doctor", "libvirt", ...flags, ...more]);
        const { areas } = JSON.parse(stdout) as {
          areas: readonly { area: string; findings: readonly object[] }[];
        };
        return areas.find(({ area }) => area === "provider libvirt")?.findings;
      };
      expect(await findings([])).toEqual([]);
      expect(await findings(["-pool-name", "nowhere", "-network-name", "nothing"])).toEqual([
        expect.objectContaining({
          severity: "error",
          subject: "pool-name",
          remedy: expect.stringContaining("virsh"),
        }),
        expect.objectContaining({ severity: "error", subject: "network-name" }),
      ]);
    });

    it("conformance tries rules of the contract on it", async () => {
      const rules = ["--rule", "verifier-content", "--rule", "delete-unknown"];
      const { exitCode, stdout, stderr } = await peerpods([
        "conformance",
        "libvirt",
        "--yes",
        ...rules,
        ...flags,
      ]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(stdout).toContain("2 passed, 0 failed");
    });

    it(
      "try makes one pod VM, runs a container in it, tells when what happened, and leaves nothing",
      { timeout: BOOT_TIMEOUT_MS + 60_000 },
      async () => {
        const script = "echo hello from $(uname -r) in $(hostname); exit 7";
        const { exitCode, stdout, stderr } = await peerpods([
          "try",
          "libvirt",
          "--image",
          image,
          "--script",
          script,
          ...flags,
        ]);
        expect(exitCode, stderr).toBe(7);
        expect(stdout).toMatch(/^hello from \S+-cloud-\S+ in run-/);
        for (const step of ["instance", "tunnel", "running", "container", "exit", "gone"])
          expect(stderr).toMatch(new RegExp(`ms .* ${step}$`, "m"));
        expect(stderr).toMatch(/nothing is left: no instance carries cluster try-[0-9a-f]{12}/);
        const { qemuUri, pool } = running();
        expect((await running().virsh(qemuUri, ["list", "--all", "--name"])).trim()).toBe("");
        await running().virsh(qemuUri, ["pool-refresh", pool]);
        expect((await running().virsh(qemuUri, ["vol-list", pool])).trim()).toMatch(
          /^podvm-base\.qcow2\s+\S+$/,
        );
      },
    );
  },
);
