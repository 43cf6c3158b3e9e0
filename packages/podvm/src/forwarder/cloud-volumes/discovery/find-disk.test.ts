import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { detectDiskScheme, findDisk } from "./find-disk.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "disks-"));
  await file("proc/mounts", "tmpfs /run tmpfs rw 0 0\n");
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function file(path: string, content = ""): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await symlink(join(root, target), join(root, path));
}

/** A disk as the kernel shows it, SCSI where an address is given. */
async function disk(
  name: string,
  options: { scsi?: string; partitions?: number; holder?: string } = {},
): Promise<void> {
  await mkdir(join(root, "sys/block", name), { recursive: true });
  await file(`dev/${name}`);
  for (let index = 1; index <= (options.partitions ?? 0); index++) {
    await mkdir(join(root, "sys/block", name, `${name}${index}`), { recursive: true });
    await file(`dev/${name}${index}`);
  }
  if (options.holder !== undefined)
    await mkdir(join(root, "sys/block", name, "holders", options.holder), { recursive: true });
  if (options.scsi === undefined) return;
  await mkdir(join(root, "sys/devices", options.scsi), { recursive: true });
  await link(`sys/block/${name}/device`, `sys/devices/${options.scsi}`);
}

const find = (lun: number, diskId = "") => findDisk({ lun, diskId }, { root });

describe("Azure", () => {
  beforeEach(async () => {
    await file("sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n");
    await disk("sda", { scsi: "0:0:0:0", partitions: 2 });
    await disk("sdc", { scsi: "1:0:0:0" });
    await disk("sdd", { scsi: "1:0:0:1" });
  });

  it("goes by the links of its udev rules", async () => {
    await link("dev/disk/azure/data/by-lun/1", "dev/sdd");
    await link("dev/disk/azure/scsi1/lun0", "dev/sdc");
    expect(await detectDiskScheme({ root })).toBe("azure");
    expect([await find(0), await find(1), await find(2)]).toEqual(["sdc", "sdd", undefined]);
  });

  it("does not trust a link to the system disk", async () => {
    await link("dev/disk/azure/data/by-lun/0", "dev/sda");
    expect(await find(0)).toBe("sdc");
  });

  it("knows the names of Hyper-V paths, but not their partitions", async () => {
    await rm(join(root, "sys/block/sdc/device"));
    await link("dev/disk/by-path/acpi-VMBUS:00-vmbus-1234-lun-0-part1", "dev/sda");
    await link("dev/disk/by-path/acpi-VMBUS:00-vmbus-1234-lun-0", "dev/sdc");
    expect(await find(0)).toBe("sdc");
  });
});

describe("AWS", () => {
  const by = "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_";
  beforeEach(async () => {
    for (const name of ["nvme0n1", "nvme1n1", "nvme2n1"]) await disk(name);
    await link(`${by}vol0aaa`, "dev/nvme2n1");
    await link(`${by}vol0aaa-part1`, "dev/nvme0n1");
    await link(`${by}vol0bbb`, "dev/nvme1n1");
  });

  it("goes by the volume's id", async () => {
    expect([await find(7, "vol-0bbb"), await find(0, "vol-0ccc")]).toEqual(["nvme1n1", undefined]);
  });

  it("goes by position without an id", async () => {
    expect([await find(0), await find(1), await find(2)]).toEqual(["nvme2n1", "nvme1n1", undefined]);
  });
});

describe("virtio", () => {
  it("counts letters after the system disk", async () => {
    for (const name of ["vda", "vdb", "vdc"]) await disk(name);
    expect([await find(0), await find(1), await find(2), await find(25)]).toEqual([
      "vdb",
      "vdc",
      undefined,
      undefined,
    ]);
  });

  it("never takes a disk that is in use", async () => {
    await disk("vda");
    await disk("vdb", { holder: "dm-0" });
    expect(await find(0)).toBeUndefined();
  });
});

describe("any machine", () => {
  it("prefers a disk on another host than the system's", async () => {
    await disk("sda", { scsi: "0:0:0:1" });
    await disk("sdb", { scsi: "2:0:0:1" });
    expect([await find(1), await find(0)]).toEqual(["sdb", undefined]);
  });

  it("takes one of the first host only if it is untouched", async () => {
    await disk("sda", { scsi: "0:0:0:0", partitions: 1 });
    await disk("sdb", { scsi: "0:0:1:0" });
    expect(await find(0)).toBe("sdb");
  });

  it("takes none whose partition is mounted, by any name", async () => {
    await disk("sdb", { scsi: "2:0:0:1", partitions: 1 });
    await link("dev/mapper-data", "dev/sdb1");
    await file("proc/mounts", "/dev/mapper-data /data ext4 rw 0 0\n");
    expect(await find(1)).toBeUndefined();
  });

  it("does not take a name that only begins alike for a mounted disk", async () => {
    await disk("sdb", { scsi: "2:0:0:1" });
    await disk("sdba", { scsi: "2:0:0:2" });
    await file("proc/mounts", "/dev/sdba /data ext4 rw 0 0\n");
    expect(await find(1)).toBe("sdb");
  });
});
