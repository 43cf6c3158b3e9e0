import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { SpecSchema } from "@peerpods/kata-protocols/oci";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createCloudVolumes } from "./cloud-volumes.ts";
import type { VolumeDriver } from "./cloud-volumes.ts";

let directory: string;
let events: string[];
let logs: Record<string, unknown>[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "volumes-"));
  events = [];
  logs = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const driver = (failOn: { readonly mount?: string; readonly unmount?: string } = {}): VolumeDriver => ({
  findDevice: async ({ lun }) => `/dev/vd${lun}`,
  mount: async ({ name }, { device }) => {
    if (name === failOn.mount) throw new Error("cannot mount");
    events.push(`mount ${name} ${device}`);
  },
  unmount: async ({ name }) => {
    events.push(`unmount ${name}`);
    if (name === failOn.unmount) throw new Error("busy");
  },
});
const volumesOf = (own: VolumeDriver) =>
  createCloudVolumes(own, {
    directory,
    logger: pino({}, { write: (line) => void logs.push(JSON.parse(line)) }),
  });
const specOf = (...destinations: string[]) =>
  create(SpecSchema, {
    Mounts: destinations.map((destination) => ({ destination, source: "/worker", type: "local" })),
  });
const annotation = (volumes: Record<string, object>) => JSON.stringify(volumes);
const { signal } = new AbortController();

it("mounts each volume and points the container at it", async () => {
  const spec = specOf("/etc/hosts", "/data");
  const volumes = volumesOf(driver());
  await volumes.attach(annotation({ v: { mount_point: "/data", lun: "1" } }), { spec, signal });
  expect(events).toEqual(["mount v /dev/vd1"]);
  expect(spec.Mounts.map(({ source, type }) => [source, type])).toEqual([
    ["/worker", "local"],
    [join(directory, "v"), "bind"],
  ]);
});

it("mounts a volume of two containers once, also when they come at once", async () => {
  const volumes = volumesOf(driver());
  const text = annotation({ v: { mount_point: "/data", lun: "0" } });
  const specs = [specOf("/data"), specOf("/data")];
  await Promise.all(specs.map((spec) => volumes.attach(text, { spec, signal })));
  expect(events).toEqual(["mount v /dev/vd0"]);
  for (const spec of specs) expect(spec.Mounts[0]?.source).toBe(join(directory, "v"));
});

it("refuses another disk under a name that is taken", async () => {
  const volumes = volumesOf(driver());
  await volumes.attach(annotation({ v: { mount_point: "/data", lun: "0" } }), {
    spec: specOf("/data"),
    signal,
  });
  const other = volumes.attach(annotation({ v: { mount_point: "/data", lun: "1" } }), {
    spec: specOf("/data"),
    signal,
  });
  await expect(other).rejects.toMatchObject({ rawMessage: "cloud volume v is another disk than before" });
  expect(events).toEqual(["mount v /dev/vd0"]);
});

it("undoes what a failed call mounted, and nothing else", async () => {
  const volumes = volumesOf(driver({ mount: "c" }));
  const one = (lun: string) => ({ mount_point: "/data", lun });
  await volumes.attach(annotation({ a: one("0") }), { spec: specOf("/data"), signal });
  const failing = volumes.attach(annotation({ a: one("0"), b: one("1"), c: one("2") }), {
    spec: specOf(),
    signal,
  });
  await expect(failing).rejects.toThrow("cannot mount");
  expect(events).toEqual(["mount a /dev/vd0", "mount b /dev/vd1", "unmount b"]);
});

it("unmounts in reverse order, logs what stays, and does it once", async () => {
  const volumes = volumesOf(driver({ unmount: "b" }));
  const one = (lun: string) => ({ mount_point: "/data", lun });
  await volumes.attach(annotation({ a: one("0"), b: one("1") }), { spec: specOf("/data"), signal });
  await volumes.detachAll();
  await volumes.detachAll();
  expect(events.slice(2)).toEqual(["unmount b", "unmount a"]);
  expect(logs).toContainEqual(expect.objectContaining({ msg: "cannot unmount a cloud volume", volume: "b" }));
});

it.skipIf(process.getuid?.() !== 0)("gives a volume to its group (needs root)", async () => {
  const volumes = volumesOf(driver());
  const text = annotation({ v: { mount_point: "/data", lun: "0", fs_group: "2000" } });
  await volumes.attach(text, { spec: specOf("/data"), signal });
  const { gid, mode } = await stat(join(directory, "v"));
  expect([gid, (mode & 0o7777).toString(8)]).toEqual([2000, "2775"]);
});

it("mounts nothing after the caller has gone", async () => {
  const volumes = volumesOf(driver());
  const text = annotation({ v: { mount_point: "/data", lun: "0" } });
  await expect(volumes.attach(text, { spec: specOf("/data"), signal: AbortSignal.abort() })).rejects.toThrow(
    /abort/i,
  );
  expect(events).toEqual([]);
});
