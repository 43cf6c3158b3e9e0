import { tagKeys } from "../../identity/instance-tags.ts";
import { ensure, expectFailure, type Rule } from "../rule.ts";

const source = "contract, Provider.deleteInstance";

/** Not ids of any provider, or those of another; some become something else in a shell, a path or a URL. */
const oddIds = [
  "i-0123456789abcdef0",
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
  "3f2c0b0e-6a52-4c39-9f0b-0a5c9a3f0d11",
  "192.0.2.7",
  "$(id)",
  "; true",
  "--all",
  "../../etc",
  "a%2Fb?c#d",
  "a\u0000b",
  "x".repeat(5_000),
];

/** Deletion, from any process, as often as one likes. */
export const deletionRules: readonly Rule[] = [
  {
    id: "delete-by-id",
    title: "An instance is deleted by its id",
    source,
    needs: ["observe"],
    async run(bench) {
      const request = bench.request();
      const { id } = await bench.create(request);
      await bench.delete({ instanceId: id, tags: request.tags });
      ensure(!(await bench.exists(id)), `${id} still exists`);
    },
  },
  {
    id: "delete-by-token",
    title: "An instance is deleted by its token alone, by another process",
    source: "contract, DeleteInstanceRequest.token",
    needs: ["observe"],
    async run(bench) {
      const request = bench.request();
      const { id } = await bench.create(request);
      const other = await bench.anotherProvider();
      await other.deleteInstance({ token: request.token, tags: request.tags }, bench.call());
      ensure(!(await bench.exists(id)), `${id} still exists`);
    },
  },
  {
    id: "delete-twice",
    title: "Deleting what is deleted succeeds",
    source,
    async run(bench) {
      const request = bench.request();
      const { id } = await bench.create(request);
      const deletion = { instanceId: id, token: request.token, tags: request.tags };
      await bench.delete(deletion);
      for (const again of [
        deletion,
        { instanceId: id, tags: request.tags },
        { token: request.token, tags: request.tags },
      ])
        await bench.delete(again);
    },
  },
  {
    id: "delete-unknown",
    title: "Deleting what never was succeeds",
    source,
    async run(bench) {
      const { token, tags } = bench.request();
      await bench.delete({ token, tags });
    },
  },
  {
    id: "delete-nothing-named",
    title: "A deletion that names neither id nor token is refused",
    source: "contract, DeleteInstanceRequest",
    async run(bench) {
      const { tags } = bench.request();
      for (const reference of [{}, { instanceId: "" }, { token: "" }, { instanceId: "", token: "" }])
        await expectFailure(bench.delete({ ...reference, tags }), ["invalid_request"]);
    },
  },
  {
    id: "delete-odd-id",
    title: "An id that is not this provider's is refused, or gone already; nothing else is touched",
    source: "contract, Provider.deleteInstance: invalid_request",
    needs: ["observe"],
    async run(bench) {
      const { id } = await bench.create(bench.request());
      const { tags } = bench.request();
      for (const instanceId of oddIds) {
        const deletion = bench.delete({ instanceId, tags });
        const outcome = await bench.outcome(deletion);
        if (!outcome.ok) await expectFailure(deletion, ["invalid_request"]);
      }
      ensure(await bench.exists(id), `${id} was deleted`);
    },
  },
  {
    id: "delete-foreign",
    title: "An instance that carries another owner's tags is left alone",
    source: "contract, DeleteInstanceRequest.tags",
    needs: ["observe"],
    async run(bench) {
      const request = bench.request();
      const { id } = await bench.create(request);
      const foreign = { ...request.tags, [tagKeys.cluster]: "another-cluster" };
      await expectFailure(bench.delete({ instanceId: id, tags: foreign }), ["conflict"]);
      ensure(await bench.exists(id), `${id} was deleted`);
    },
  },
  {
    id: "delete-only-that",
    title: "Deleting one instance leaves the others",
    source,
    needs: ["observe"],
    async run(bench) {
      const doomed = bench.request();
      await bench.create(doomed);
      const other = await bench.create(bench.request());
      await bench.remove(doomed);
      ensure(await bench.exists(other.id), `${other.id} is gone too`);
    },
  },
  {
    id: "delete-all-of-it",
    title: "Nothing of a deleted instance is left, in the account or on the machine",
    source,
    needs: ["census"],
    async run(bench) {
      const before = await bench.census();
      const request = bench.request({ spec: bench.fullSpec() });
      await bench.create(request);
      ensure((await bench.census()).length > before.length, "the census does not see the instance");
      await bench.remove(request);
      await bench.ensureNothingNew(before, "after the deletion");
    },
  },
  {
    id: "delete-after-it-vanished",
    title: "What was made beside an instance is deleted also when the instance is gone already",
    source: "contract, DeleteInstanceRequest.token",
    needs: ["census", "vanish"],
    async run(bench) {
      const before = await bench.census();
      const request = bench.request({ spec: bench.fullSpec() });
      const { id } = await bench.create(request);
      await bench.target.vanish?.(id);
      await bench.remove(request);
      await bench.ensureNothingNew(before, "after the deletion");
    },
  },
];
