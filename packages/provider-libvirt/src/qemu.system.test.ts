import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { silentLogger, systemClock } from "@peerpods/cloud-providers";
import {
  conformanceRules,
  defineConformanceTests,
  type ConformanceTarget,
} from "@peerpods/cloud-providers/conformance";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { buildGuest, missingLibvirtd, startLibvirtd } from "@peerpods/libvirt-stand-in";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namesOfId } from "./identity.ts";
import { cloudInitFile, createTarget, type PreparedSite } from "./testing/target.ts";

const processUserData = fileURLToPath(new URL("../../podvm/bundle/process-user-data.mjs", import.meta.url));
const missing =
  (await missingLibvirtd()) ??
  (existsSync(processUserData) ? undefined : "needs the guest programs: pnpm build");

/** Each creation is a boot of some seconds, so only what libvirt's test driver cannot show is tried here, unless all time is ours. */
const shortList: ReadonlySet<string> = new Set([
  "verifier-content",
  "verifier-complains",
  "create-answer",
  "create-parallel",
  "token-repeat-other-process",
  "token-of-dead",
  "delete-after-it-vanished",
  "delete-all-of-it",
  "user-data-intact",
  "tags-on-everything",
  "volumes",
]);
const soak = process.env["PEERPODS_SOAK"] === "1";
const rules = conformanceRules.filter(({ id }) => soak || shortList.has(id));

/** The real QEMU driver; guests boot under emulation and take their addresses by DHCP. */
async function open(): Promise<{
  readonly site: PreparedSite;
  readonly target: ConformanceTarget;
  readonly nodeInitrd: string;
  readonly virsh: (...args: string[]) => Promise<string>;
  readonly dispose: () => Promise<void>;
}> {
  await using parts = new AsyncDisposableStack();
  const guest = await buildGuest(processUserData);
  const libvirtd = parts.use(await startLibvirtd());
  const site = parts.use(
    await createTarget({
      libvirtd,
      uri: libvirtd.qemuUri,
      pool: libvirtd.pool,
      network: libvirtd.network,
      env: {
        LIBVIRT_DOMAIN_TYPE: "qemu",
        LIBVIRT_ADDRESS_TIMEOUT: "8m",
        LIBVIRT_BOOT_FIRMWARE: "bios",
        LIBVIRT_DISK_BUS: "virtio",
        LIBVIRT_CPU: "1",
        LIBVIRT_MEMORY: "96",
        LIBVIRT_ROOT_DISK_SIZE: "1",
        LIBVIRT_KERNEL: guest.kernel,
        LIBVIRT_INITRD: guest.smallInitrd,
        LIBVIRT_KERNEL_ARGS: "console=ttyS0 quiet panic=-1",
      },
      clock: systemClock,
      cloudInit: (id) => cloudInitFile(libvirtd.poolDirectory, id),
    }),
  );
  const kept = parts.move();
  const target: ConformanceTarget = {
    ...site.target,
    parallel: 3,
    missing: {
      ...site.target.missing,
      faults: "tried on libvirt's test driver: each creation here is a boot",
    },
  };
  const virsh = (...args: string[]) => libvirtd.virsh(libvirtd.qemuUri, args);
  return { site, target, virsh, nodeInitrd: guest.nodeInitrd, dispose: () => kept.disposeAsync() };
}

describe.skipIf(missing !== undefined)(`QEMU${missing === undefined ? "" : ` (${missing})`}`, () => {
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.dispose());

  describe("a guest with Node", () => {
    it(
      "boots, reads its user data with process-user-data and serves port 15150",
      { timeout: 600_000 },
      async () => {
        const provider = await opened.site.connect({
          LIBVIRT_INITRD: opened.nodeInitrd,
          LIBVIRT_MEMORY: "1024",
        });
        const content = '{"pod-name":"web-0"}';
        const userData = `#cloud-config\n\nwrite_files:\n  - path: /run/peerpod/apf.json\n    content: |\n      ${content}\n`;
        const request = testRequest({ userData });
        const call = { signal: AbortSignal.timeout(540_000), logger: silentLogger };
        try {
          const { addresses } = await provider.createInstance(request, call);
          const answer = await untilAnswered(
            `http://${addresses[0]}:15150/run/peerpod/apf.json`,
            call.signal,
          );
          expect(answer.trim()).toBe(content);
        } finally {
          await provider.deleteInstance({ token: request.token, tags: request.tags }, call);
        }
      },
    );
  });

  describe("a guest with UEFI", () => {
    it(
      "keeps its variables in the pool, where a deletion finds them also when the domain is gone",
      { timeout: 600_000 },
      async () => {
        const provider = await opened.site.connect({ LIBVIRT_BOOT_FIRMWARE: "efi", LIBVIRT_MEMORY: "256" });
        const census = async () => (await opened.target.census?.()) ?? [];
        const before = await census();
        const request = testRequest();
        const call = { signal: AbortSignal.timeout(540_000), logger: silentLogger };
        const { id } = await provider.createInstance(request, call);
        expect(await census()).toContain(`volume ${namesOfId(id).nvramVolume}`);
        await opened.virsh("destroy", id);
        await opened.virsh("undefine", id, "--keep-nvram");
        await provider.deleteInstance({ instanceId: id, tags: request.tags }, call);
        expect(await census()).toEqual(before);
      },
    );
  });

  defineConformanceTests(
    { afterAll, beforeAll, describe, it },
    () => Promise.resolve({ target: opened.target }),
    {
      rules,
      timeoutMs: 600_000,
    },
  );
});

async function untilAnswered(url: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
      if (response.ok) return await response.text();
    } catch {
      signal.throwIfAborted();
    }
    await systemClock.sleep(500, { signal });
  }
}
