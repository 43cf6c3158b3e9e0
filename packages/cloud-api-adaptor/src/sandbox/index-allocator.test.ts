import { MAX_VXLAN_ID } from "@peerpods/podvm-contract";
import { expect, it } from "vitest";
import { IndexAllocator } from "./index-allocator.ts";
import { FakeNetwork } from "./testing/fake-network.ts";
import { MemoryJournal } from "./testing/memory-journal.ts";
import { patient } from "./testing/world.ts";

const range = 8;
const minVni = MAX_VXLAN_ID - range + 1;

async function allocator({
  journal = new MemoryJournal(),
  held = [],
  minVni = MAX_VXLAN_ID - range + 1,
}: { journal?: MemoryJournal; held?: readonly number[]; minVni?: number } = {}) {
  const network = new FakeNetwork();
  const indices = new IndexAllocator({ journal, network, minVni });
  await indices.recover(held.map((index) => ({ index, vni: minVni + index })));
  return { indices, journal, network };
}

it("counts up, and does not come back to what was released", async () => {
  const { indices } = await allocator();
  expect(await indices.allocate(patient)).toEqual({ index: 0, vni: minVni });
  indices.release(minVni);
  expect(await indices.allocate(patient)).toEqual({ index: 1, vni: minVni + 1 });
});

it("gives different numbers to all who ask at once", async () => {
  const { indices } = await allocator();
  const given = await Promise.all(Array.from({ length: range }, () => indices.allocate(patient)));
  expect(new Set(given.map(({ vni }) => vni)).size).toBe(range);
});

it("begins again after the last VNI, leaving out what is held, and says when all are", async () => {
  const { indices } = await allocator();
  for (let count = 0; count < range; count += 1) await indices.allocate(patient);
  await expect(indices.allocate(patient)).rejects.toMatchObject({ code: "limit_reached" });
  indices.release(minVni + 5);
  expect(await indices.allocate(patient)).toEqual({ index: 5, vni: minVni + 5 });
});

it("leaves out what the kernel holds", async () => {
  const { indices, network } = await allocator();
  network.foreignVnis.add(minVni).add(minVni + 1);
  expect((await indices.allocate(patient)).index).toBe(2);
});

it("never gives a number again after a restart", async () => {
  const { indices, journal } = await allocator({ minVni: 555_000 });
  const before = await indices.allocate(patient);
  const { indices: next } = await allocator({ journal, minVni: 555_000 });
  expect((await next.allocate(patient)).index).not.toBe(before.index);
});

it("gives nothing that it could not write down", async () => {
  const { indices, journal } = await allocator();
  const save = journal.saveNextIndex.bind(journal);
  journal.saveNextIndex = async () => {
    throw new Error("disk full");
  };
  await expect(indices.allocate(patient)).rejects.toThrow("disk full");
  journal.saveNextIndex = save;
  expect((await indices.allocate(patient)).index).toBe(0);
});

it("leaves out what a sandbox of an earlier daemon has, also where the disk says less", async () => {
  const { indices } = await allocator({ held: [0, 1, 4] });
  expect((await indices.allocate(patient)).index).toBe(5);
});
