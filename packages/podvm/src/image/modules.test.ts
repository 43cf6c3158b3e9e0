import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ImageError } from "./image.ts";
import { dependenciesOf, moduleFiles } from "./modules.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "modules-"));
  await writeFile(join(directory, "modules.builtin"), "kernel/fs/ext4/ext4.ko\nkernel/lib/crc16.ko\n");
});
afterEach(() => rm(directory, { recursive: true }));

/** As the linker lays it out: texts with zero bytes between. */
async function addModule(path: string, depends: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), `\x7fELF\0license=GPL\0depends=${depends}\0intree=Y\0`, "latin1");
}

const names = async (needed: readonly string[], welcome: readonly string[] = []) =>
  (await moduleFiles(directory, { needed, welcome })).map(({ name }) => name);

describe("kernel modules", () => {
  it("come after what they depend on, each once, under either spelling", async () => {
    await addModule("kernel/net/vxlan.ko", "udp_tunnel,ip6_udp_tunnel");
    await addModule("kernel/net/udp_tunnel.ko", "");
    await addModule("kernel/net/ip6_udp_tunnel.ko", "udp_tunnel");
    await addModule("kernel/lib/crc32c-intel.ko", "");
    expect(await names(["crc32c-intel", "vxlan", "udp-tunnel"])).toEqual([
      "crc32c_intel",
      "udp_tunnel",
      "ip6_udp_tunnel",
      "vxlan",
    ]);
  });

  it("that the kernel has built in are not needed as files", async () => {
    await addModule("kernel/fs/xfs.ko", "crc16");
    expect(await names(["ext4", "xfs"])).toEqual(["xfs"]);
  });

  it("that are only welcome may be missing, those that are needed may not", async () => {
    expect(await names(["ext4"], ["ahci"])).toEqual([]);
    await expect(names(["ahci"])).rejects.toThrow(ImageError);
    await expect(names(["ahci"])).rejects.toThrow("ahci");
  });

  it("say what they depend on, or that it is nothing", () => {
    expect(dependenciesOf("x\0depends=a,b-c\0name=d\0")).toEqual(["a", "b_c"]);
    expect(dependenciesOf("x\0depends=\0name=d\0")).toEqual([]);
    expect(dependenciesOf("no module")).toEqual([]);
  });
});
