import { describe, expect, it } from "vitest";
import { ProviderError } from "../errors.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { createCapacityMemory } from "./capacity-memory.ts";
import { placementsOf, walkPlacements } from "./placements.ts";
import { selectInstanceTypes, sortInstanceTypes, type InstanceType, type TypeWish } from "./select.ts";

const wish = (change: Partial<TypeWish> = {}): TypeWish => ({
  instanceType: "",
  vcpus: 0,
  memoryMiB: 0,
  gpus: 0,
  arch: "",
  ...change,
});
const type = (name: string, vcpus: number, memoryMiB: number, gpus = 0): InstanceType => ({
  name,
  vcpus,
  memoryMiB,
  gpus,
});

function select(
  request: Partial<TypeWish>,
  catalog: readonly InstanceType[],
  allowed = catalog.map(({ name }) => name),
) {
  return selectInstanceTypes(wish(request), { catalog, allowed, defaultType: "small" });
}

const plain = [type("large", 8, 16), type("small", 2, 6), type("medium", 4, 8)];
const mixed = [type("small", 2, 6), type("medium", 4, 8, 2), type("large", 8, 16)];
const gpus = [type("small", 2, 4096, 1), type("medium", 4, 8192, 2)];

describe("selectInstanceTypes", () => {
  it.each([
    ["a perfect fit", { vcpus: 2, memoryMiB: 6 }, plain, ["small", "medium", "large"]],
    ["the middle", { vcpus: 4, memoryMiB: 8 }, plain, ["medium", "large"]],
    ["memory decides", { vcpus: 4, memoryMiB: 16 }, plain, ["large"]],
    ["a GPU type is not wasted", { vcpus: 4, memoryMiB: 8 }, mixed, ["large"]],
    ["one GPU", { gpus: 1, vcpus: 2, memoryMiB: 4096 }, gpus, ["small", "medium"]],
    ["one GPU but more memory", { gpus: 1, vcpus: 3, memoryMiB: 6144 }, gpus, ["medium"]],
    ["only GPUs", { gpus: 2 }, gpus, ["medium"]],
    ["only memory", { memoryMiB: 8 }, plain, ["medium", "large"]],
    ["only vCPUs", { vcpus: 5 }, plain, ["large"]],
    [
      "a fit that a binary search misses",
      { vcpus: 8, memoryMiB: 4 },
      [type("a", 2, 4), type("b", 8, 8), type("c", 2, 16), type("d", 4, 32), type("e", 2, 64)],
      ["b"],
    ],
  ])("%s", (_why, request, catalog, expected) => {
    expect(select(request, catalog)).toEqual(expected);
  });

  it.each([
    ["too much memory", { vcpus: 4, memoryMiB: 32 }, plain],
    ["too many GPUs", { gpus: 4, vcpus: 8, memoryMiB: 16_384 }, gpus],
    ["an empty catalog", { gpus: 1 }, []],
    ["a type that is not allowed", { instanceType: "huge" }, plain],
  ])("refuses %s", (_why, request, catalog) => {
    expect(() => select(request, catalog)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  it("lets a named type win over numbers, and takes it only from the list", () => {
    expect(select({ instanceType: "m5.large", gpus: 8 }, plain, ["m5.large"])).toEqual(["m5.large"]);
    expect(() => select({ instanceType: "small" }, plain, ["medium"])).toThrow(/allowed are medium/);
  });

  it("takes the default when nothing is asked, and only the default when nothing else is allowed", () => {
    expect(select({}, plain, ["medium"])).toEqual(["small"]);
    expect(select({ instanceType: "small" }, plain, [])).toEqual(["small"]);
    expect(() => select({ instanceType: "medium" }, plain, [])).toThrow(/allowed are small/);
  });

  it("keeps to the architecture where the catalog tells it", () => {
    const catalog = [
      { ...type("a", 2, 4), arch: "arm64" },
      { ...type("b", 4, 8), arch: "amd64" },
    ];
    expect(select({ vcpus: 1, arch: "amd64" }, catalog)).toEqual(["b"]);
    expect(select({ vcpus: 1 }, catalog)).toEqual(["a", "b"]);
  });

  it("sorts by GPUs, memory, vCPUs without touching the original", () => {
    const types = [type("d", 1, 1, 1), type("c", 2, 4), type("b", 1, 4), type("a", 8, 2)];
    expect(sortInstanceTypes(types).map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
    expect(types[0]?.name).toBe("d");
  });
});

describe("placements", () => {
  const [a, b] = [
    { instanceType: "t", zone: "a" },
    { instanceType: "t", zone: "b" },
  ];
  const full = new ProviderError("no_capacity", "none");

  it("are types, then zones", () => {
    expect(placementsOf(["s", "m"], ["a", "b"]).map((at) => `${at.instanceType}/${at.zone}`)).toEqual([
      "s/a",
      "s/b",
      "m/a",
      "m/b",
    ]);
    expect(placementsOf(["s"], [])).toEqual([{ instanceType: "s", zone: "" }]);
  });

  it("are remembered as full for five minutes", async () => {
    const clock = new FakeClock();
    const memory = createCapacityMemory({ clock });
    memory.note(a, { error: full });
    expect(memory.worthTrying([a, b])).toEqual([b]);
    await clock.advance(299_999);
    expect(memory.worthTrying([a, b])).toEqual([b]);
    await clock.advance(1);
    expect(memory.worthTrying([a, b])).toEqual([a, b]);
  });

  it("are probed at the oldest refusal when all are full", async () => {
    const clock = new FakeClock();
    const memory = createCapacityMemory({ clock });
    memory.note(b, { error: full });
    await clock.advance(1_000);
    memory.note(a, { error: full });
    expect(memory.worthTrying([a, b])).toEqual([b]);
  });

  it("are not held full for another failure, nor after a success", () => {
    const memory = createCapacityMemory({ clock: new FakeClock() });
    memory.note(a, { error: new ProviderError("quota_exceeded", "limit") });
    memory.note(b, { error: full });
    memory.note(b, {});
    expect(memory.worthTrying([a, b])).toEqual([a, b]);
  });

  it("are walked until one has room", async () => {
    const { signal } = new AbortController();
    const result = walkPlacements(
      [a, b],
      (at, index) => (at === a ? Promise.reject(full) : Promise.resolve(`${at.zone}${index}`)),
      { signal },
    );
    await expect(result).resolves.toBe("b1");
  });

  it("end in one error that lists what was tried and what was left", async () => {
    const refuse = (at: { zone: string }) =>
      Promise.reject(new ProviderError("no_capacity", "none", { left: [`disk-${at.zone}`] }));
    const { signal } = new AbortController();
    await expect(walkPlacements([a, b], refuse, { signal })).rejects.toMatchObject({
      code: "no_capacity",
      left: ["disk-a", "disk-b"],
      message: expect.stringMatching(/t in a, t in b/) as string,
    });
  });

  it("are not walked on after another failure or an abort", async () => {
    const controller = new AbortController();
    const tried: string[] = [];
    const other = new ProviderError("unauthorized", "no");
    const fail = (at: { zone: string }) => (tried.push(at.zone), Promise.reject(other));
    await expect(walkPlacements([a, b], fail, controller)).rejects.toBe(other);
    controller.abort(new Error("gone"));
    await expect(walkPlacements([a, b], fail, controller)).rejects.toThrow("gone");
    expect(tried).toEqual(["a"]);
  });
});
