import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildSmallGuest, missingLibvirtd, startLibvirtd, type Libvirtd } from "@peerpods/libvirt-stand-in";
import { kernelArguments } from "@peerpods/podvm/image";
import { until } from "@peerpods/test-harness";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTestPodVMImage } from "./stage/podvm-image.ts";
import { tunnelRules } from "./stage/tunnel-rules.ts";

const containerImage = "localhost/try";
const adaptor = dirname(createRequire(import.meta.url).resolve("@peerpods/cloud-api-adaptor/package.json"));
const missing = await missingLibvirtd();

type BootFiles = Pick<Awaited<ReturnType<typeof buildTestPodVMImage>>, "kernel" | "initrd">;

const bootFlags = ({ kernel, initrd }: BootFiles, { memoryMiB }: { readonly memoryMiB: number }) => [
  ...["-kernel", kernel, "-initrd", initrd, "-memory", String(memoryMiB)],
];

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
    let host: readonly string[];
    /** Of the host, with machines of our image. */
    let flags: readonly string[];

    const start = (words: readonly string[]) =>
      execa(process.execPath, [join(adaptor, "dist/peerpods.js"), ...words], {
        reject: false,
        timeout: BOOT_TIMEOUT_MS,
        stdin: "ignore",
      });
    const peerpods = async (words: readonly string[]) => {
      const { exitCode, stdout, stderr } = await start(words);
      return { exitCode, stdout, stderr };
    };
    const virsh = (...args: string[]) => running().virsh(running().qemuUri, args);
    const expectEmptyHost = async () => {
      const { pool } = running();
      expect((await virsh("list", "--all", "--name")).trim()).toBe("");
      await virsh("pool-refresh", pool);
      expect((await virsh("vol-list", pool)).trim()).toMatch(/^podvm-base\.qcow2\s+\S+$/);
    };

    beforeAll(async () => {
      const image = await buildTestPodVMImage(containerImage);
      libvirtd = await startLibvirtd();
      const { qemuUri, pool, network } = running();
      await virsh("vol-create-as", pool, "podvm-base.qcow2", "64M", "--format", "qcow2");
      host = [
        ...["-uri", qemuUri, "-pool-name", pool, "-network-name", network, "-domain-type", "qemu"],
        ...["-boot-firmware", "bios", "-disk-bus", "virtio", "-cpu", "2", "-root-disk-size", "1"],
        ...["-kernel-args", kernelArguments, "-address-timeout", "5m"],
      ];
      flags = [...host, ...bootFlags(image, { memoryMiB: 1024 })];
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
          containerImage,
          "--script",
          script,
          ...flags,
        ]);
        expect(exitCode, stderr).toBe(7);
        expect(stdout).toMatch(/^hello from \S+-cloud-\S+ in run-/);
        for (const step of ["instance", "tunnel", "running", "container", "exit", "gone"])
          expect(stderr).toMatch(new RegExp(`ms .* ${step}$`, "m"));
        expect(stderr).toMatch(/nothing is left: no instance carries cluster try-[0-9a-f]{12}/);
        await expectEmptyHost();
      },
    );

    it(
      "try fails soon, and leaves nothing, when the machine ends before its agent can be reached",
      { timeout: BOOT_TIMEOUT_MS },
      async () => {
        const rules = await tunnelRules();
        // It takes an address and has no agent, so the start waits for what never comes.
        const guest = await buildSmallGuest();
        const tool = start(["try", "libvirt", ...host, ...bootFlags(guest, { memoryMiB: 96 })]);
        const ended = tool.then(({ stderr }) => Promise.reject(new Error(`the tool has ended: ${stderr}`)));
        const tunnel = until(
          "there is a tunnel to the instance",
          async () => (await tunnelRules()).length > rules.length,
          { timeoutMs: BOOT_TIMEOUT_MS },
        );
        await Promise.race([tunnel, ended]);
        await virsh("destroy", (await virsh("list", "--uuid")).trim());
        const { exitCode, stderr } = await tool;
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 125 });
        expect(stderr).toMatch(/instance \S+ ended before its agent could be reached/);
        expect(stderr).toContain("nothing is left");
        expect(await tunnelRules()).toEqual(rules);
        await expectEmptyHost();
      },
    );
  },
);
