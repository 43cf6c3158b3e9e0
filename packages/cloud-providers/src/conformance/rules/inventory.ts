import { hasInventory } from "../../abilities.ts";
import { tagKeys } from "../../identity/instance-tags.ts";
import { ensure, type Rule } from "../rule.ts";

/** Looking at what exists. */
export const inventoryRules: readonly Rule[] = [
  {
    id: "inventory-list",
    title: "Listing by tags finds exactly the instances that carry them and exist",
    source: "contract, Inventory.listInstances",
    abilities: ["inventory"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(hasInventory(provider), "the ability is declared but missing");
      const kept = bench.request();
      const deleted = bench.request();
      const { id } = await bench.create(kept);
      await bench.create(deleted);
      await bench.remove(deleted);
      const list = async (tags: Readonly<Record<string, string>>) =>
        (await provider.listInstances(tags, bench.call())).map((record) => record.id);
      ensure((await list(kept.tags)).join() === id, "the instance is not found by its own tags");
      ensure((await list(deleted.tags)).length === 0, "a deleted instance is listed");
      const foreign = { ...kept.tags, [tagKeys.cluster]: "another-cluster" };
      ensure((await list(foreign)).length === 0, "an instance is listed under tags that it does not carry");
    },
  },
  {
    id: "inventory-get",
    title:
      "One instance is found by id or token from any process, with name and addresses; one that is gone is not",
    source: "contract, Inventory.getInstance",
    abilities: ["inventory"],
    async run(bench) {
      const request = bench.request();
      const { id, addresses } = await bench.create(request);
      const provider = await bench.anotherProvider();
      ensure(hasInventory(provider), "the ability is declared but missing");
      for (const reference of [{ instanceId: id }, { token: request.token }]) {
        const record = await provider.getInstance(reference, bench.call());
        ensure(record?.id === id, `${JSON.stringify(reference)} finds ${record?.id ?? "nothing"}, not ${id}`);
        ensure(record.name === request.name, `its name is ${record.name}`);
        ensure(record.addresses.join() === addresses.join(), `its addresses are ${record.addresses.join()}`);
      }
      await bench.remove(request);
      for (const reference of [{ instanceId: id }, { token: request.token }]) {
        const record = await provider.getInstance(reference, bench.call());
        ensure(
          record === undefined || record.state === "gone",
          `${id} is deleted, but found as ${record?.state}`,
        );
      }
    },
  },
];
