import { expect, it } from "vitest";
import { CONTRACT_VERSION, type CloudProvider } from "../contract.ts";
import { addCloudProvider, createProviderRegistry } from "./registry.ts";

function manager(name: string, change: Partial<CloudProvider> = {}): CloudProvider {
  return {
    name,
    contractVersion: CONTRACT_VERSION,
    summary: name,
    options: [],
    newProvider: () => Promise.reject(new Error("not in this test")),
    ...change,
  };
}

it("lists names in order and gives back what was added", async () => {
  const local = manager("local");
  const registry = createProviderRegistry([local]);
  addCloudProvider(registry, "aws", manager("aws"));
  expect(registry.names()).toEqual(["aws", "local"]);
  await expect(registry.get("local")).resolves.toBe(local);
});

it("has no memory across registries", () => {
  createProviderRegistry([manager("aws")]);
  expect(createProviderRegistry().names()).toEqual([]);
});

it("names the known ones for a name that no one knows", async () => {
  const registry = createProviderRegistry([manager("aws"), manager("local")]);
  await expect(registry.get("gcp")).rejects.toMatchObject({
    code: "unknown_provider",
    message: expect.stringMatching(/"gcp".*aws, local/) as string,
  });
});

it("imports a lazy provider when it is asked for, once, and again after a failure", async () => {
  const registry = createProviderRegistry();
  let imports = 0;
  addCloudProvider(registry, "aws", () => {
    imports += 1;
    return imports === 1 ? Promise.reject(new Error("disk")) : Promise.resolve(manager("aws"));
  });
  expect(imports).toBe(0);
  await expect(registry.get("aws")).rejects.toThrow("disk");
  expect(await registry.get("aws")).toBe(await registry.get("aws"));
  expect(imports).toBe(2);
});

it.each(["", "AWS", "../aws", "-aws", "a/b", "a".repeat(64)])("refuses the name %j", (name) => {
  expect(() => addCloudProvider(createProviderRegistry(), name, manager(name))).toThrow(
    expect.objectContaining({ code: "invalid_config" }),
  );
});

it("refuses a name that is taken", () => {
  expect(() => createProviderRegistry([manager("aws"), manager("aws")])).toThrow(
    expect.objectContaining({ code: "invalid_config" }),
  );
});

it.each([
  ["an older major version", manager("x", { contractVersion: "0.9" }), /update the provider/],
  ["a newer major version", manager("x", { contractVersion: "2.0" }), /update the program/],
  ["no version", { ...manager("x"), contractVersion: undefined }, /contractVersion/],
  ["another name", manager("y"), /calls itself "y"/],
  ["no options", { ...manager("x"), options: undefined }, /options/],
  ["no newProvider", { ...manager("x"), newProvider: "soon" }, /newProvider/],
  ["nothing", undefined, /no exported `provider`/],
])("refuses a provider with %s", async (_what, value, message) => {
  const registry = createProviderRegistry();
  addCloudProvider(registry, "x", () => Promise.resolve(value as CloudProvider));
  await expect(registry.get("x")).rejects.toMatchObject({
    code: "unsupported_contract",
    message: expect.stringMatching(message) as string,
  });
});

it("takes a newer minor version", async () => {
  const registry = createProviderRegistry([manager("x", { contractVersion: "1.9" })]);
  await expect(registry.get("x")).resolves.toHaveProperty("name", "x");
});
