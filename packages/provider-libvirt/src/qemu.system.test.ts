import { silentLogger, systemClock } from "@peerpods/cloud-providers";
import {
  conformanceRules,
  defineConformanceTests,
  type ConformanceTarget,
} from "@peerpods/cloud-providers/conformance";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { buildSmallGuest, missingLibvirtd, startLibvirtd } from "@peerpods/libvirt-stand-in";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namesOfId } from "./identity.ts";
import { cloudInitFile, createTarget, type PreparedSite } from "./testing/target.ts";

const onDemand = process.env["PEERPODS_LIBVIRT"] === "1";
const soak = process.env["PEERPODS_SOAK"] === "1";
const missing =
  onDemand || soak
    ? await missingLibvirtd()
    : "boots a machine for most rules, three minutes: set PEERPODS_LIBVIRT=1, or run pnpm soak";

/** Each creation is a boot, so only what libvirt's test driver cannot show is tried here, unless both are asked for. */
const shortList: ReadonlySet<string> = new Set([
  "verifier-content",
  "verifier-complains",
  "configuration-refused",
  "create-parallel",
  "delete-after-it-vanished",
  "user-data-intact",
  "volumes",
]);
const everyRule = onDemand && soak;
const rules = conformanceRules.filter(({ id }) => everyRule || shortList.has(id));

/** The real QEMU driver; guests boot under emulation and take their addresses by DHCP. */
async function open(): Promise<{
  readonly site: PreparedSite;
  readonly target: ConformanceTarget;
  readonly virsh: (...args: string[]) => Promise<string>;
  readonly dispose: () => Promise<void>;
}> {
  await using parts = new AsyncDisposableStack();
  const guest = await buildSmallGuest();
  const libvirtd = parts.use(await startLibvirtd());
  const site = parts.use(
    await createTarget({
      uri: libvirtd.qemuUri,
      ask: (...words) => libvirtd.virsh(libvirtd.qemuUri, words),
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
        LIBVIRT_INITRD: guest.initrd,
        LIBVIRT_KERNEL_ARGS: "console=ttyS0 quiet panic=-1",
      },
      clock: systemClock,
      cloudInit: (id) => cloudInitFile(libvirtd.poolDirectory, id),
    }),
  );
  const kept = parts.move();
  const target: ConformanceTarget = {
    ...site.target,
    parallel: everyRule ? 3 : 2,
    missing: {
      ...site.target.missing,
      faults: "tried on libvirt's test driver: each creation here is a boot",
    },
  };
  const virsh = (...args: string[]) => libvirtd.virsh(libvirtd.qemuUri, args);
  return { site, target, virsh, dispose: () => kept.disposeAsync() };
}

describe.skipIf(missing !== undefined)(`QEMU${missing === undefined ? "" : ` (${missing})`}`, () => {
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  const site = () => {
    if (opened === undefined) throw new Error("libvirtd did not start");
    return opened;
  };
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.dispose());

  describe("a guest with UEFI", () => {
    it(
      "keeps its variables in the pool, where a deletion finds them also when the domain is gone",
      { timeout: 600_000 },
      async () => {
        const provider = await site().site.connect({ LIBVIRT_BOOT_FIRMWARE: "efi", LIBVIRT_MEMORY: "256" });
        const census = async () => (await site().target.census?.()) ?? [];
        const before = await census();
        const request = testRequest();
        const call = { signal: AbortSignal.timeout(540_000), logger: silentLogger };
        const { id } = await provider.createInstance(request, call);
        expect(await census()).toContain(`volume ${namesOfId(id).nvramVolume}`);
        await site().virsh("destroy", id);
        await site().virsh("undefine", id, "--keep-nvram");
        await provider.deleteInstance({ instanceId: id, tags: request.tags }, call);
        expect(await census()).toEqual(before);
      },
    );
  });

  defineConformanceTests(
    { afterAll, beforeAll, describe, it },
    () => Promise.resolve({ target: site().target }),
    {
      rules,
      timeoutMs: 600_000,
    },
  );
});
