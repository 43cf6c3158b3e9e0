import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { parseCloudVolumes } from "./annotation.ts";

const volume = { mount_point: "/data", lun: "0" };
const parse = (volumes: unknown) => parseCloudVolumes(JSON.stringify(volumes));

it("reads volumes in the order of their names, with defaults", () => {
  const encrypted = {
    ...volume,
    lun: "12",
    disk_id: "vol-1",
    fs_type: "xfs",
    fs_group: "2000",
    encrypt_type: "LUKS",
    key_id: "a/b/c",
  };
  expect(parse({ "vol-1": encrypted, "vol-0": volume })).toEqual([
    {
      name: "vol-0",
      mountPoint: "/data",
      fsType: "ext4",
      lun: 0,
      diskId: "",
      fsGroup: undefined,
      encryption: undefined,
    },
    {
      name: "vol-1",
      mountPoint: "/data",
      fsType: "xfs",
      lun: 12,
      diskId: "vol-1",
      fsGroup: 2000,
      encryption: { keyId: "a/b/c" },
    },
  ]);
});

describe("refuses with INVALID_ARGUMENT", () => {
  it.each([
    ["no JSON", () => parseCloudVolumes("{"), /^corrupt cloud_volumes annotation/],
    ["a list", () => parse([]), /^corrupt cloud_volumes annotation/],
    [
      "a number where text belongs",
      () => parse({ v: { ...volume, lun: 0 } }),
      /^corrupt cloud_volumes annotation/,
    ],
    [
      "too many",
      () => parse(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`v${i}`, volume]))),
      /more than 64/,
    ],
    ["no mount point", () => parse({ v: { lun: "0" } }), /"v": missing required mount_point or lun/],
    ["no lun", () => parse({ v: { mount_point: "/d" } }), /missing required mount_point or lun/],
    ["a path as name", () => parse({ "../v": volume }), /"\.\.\/v": unsafe name/],
    ["a parent as name", () => parse({ "..": volume }), /unsafe name/],
    ["a name that no file can have", () => parse({ "v\0": volume }), /unsafe name/],
    ["an empty name", () => parse({ "": volume }), /unsafe name/],
    [
      "another filesystem",
      () => parse({ v: { ...volume, fs_type: "btrfs" } }),
      /unsupported filesystem type "btrfs"/,
    ],
    ["a lun that is none", () => parse({ v: { ...volume, lun: "-1" } }), /invalid lun "-1"/],
    [
      "a group that is none",
      () => parse({ v: { ...volume, fs_group: "staff" } }),
      /invalid fs_group "staff"/,
    ],
    [
      "another encryption",
      () => parse({ v: { ...volume, encrypt_type: "plain", key_id: "k" } }),
      /unsupported encrypt_type/,
    ],
    ["an encryption without key", () => parse({ v: { ...volume, encrypt_type: "luks2" } }), /missing key_id/],
  ])("%s", (_what, attempt, message) => {
    expect(attempt).toThrow(
      expect.objectContaining({
        code: Code.InvalidArgument,
        rawMessage: expect.stringMatching(message),
      }) as Error,
    );
  });
});
