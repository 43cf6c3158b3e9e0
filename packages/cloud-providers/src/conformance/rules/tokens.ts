import { isIPv4 } from "node:net";
import { ensure, expectFailure, type Rule } from "../rule.ts";

const source = "contract, Provider.createInstance";

/** Creation and its idempotency token. */
export const tokenRules: readonly Rule[] = [
  {
    id: "create-answer",
    title: "A creation answers with an id, the name it was given and an IPv4 address",
    source: "contract, Instance",
    async run(bench) {
      const request = bench.request();
      const { id, name, addresses } = await bench.create(request);
      ensure(typeof id === "string" && id !== "", "the id is empty");
      ensure(
        name === request.name,
        `the name is ${JSON.stringify(name)}, not ${JSON.stringify(request.name)}`,
      );
      ensure(addresses.length > 0, "there is no address");
      const wrong = addresses.find((address) => !isIPv4(address));
      ensure(wrong === undefined, `${wrong} is no IPv4 address`);
    },
  },
  {
    id: "token-repeat",
    title: "The same token with the same request gives the same instance",
    source,
    async run(bench) {
      const request = bench.request();
      const first = await bench.create(request);
      const second = await bench.create(request);
      ensure(first.id === second.id, `the first answer was ${first.id}, the second ${second.id}`);
    },
  },
  {
    id: "token-repeat-other-process",
    title: "The same token gives the same instance to another process",
    source,
    async run(bench) {
      const request = bench.request();
      const first = await bench.create(request);
      const second = await (await bench.anotherProvider()).createInstance(request, bench.call());
      ensure(first.id === second.id, `the first process got ${first.id}, the second ${second.id}`);
    },
  },
  {
    id: "token-parallel",
    title: "The same token asked several times at once gives one instance",
    source,
    async run(bench) {
      const request = bench.request();
      const asked = Array.from({ length: bench.target.parallel ?? 5 }, () => bench.create(request));
      const ids = new Set((await Promise.all(asked)).map(({ id }) => id));
      ensure(ids.size === 1, `the answers are ${[...ids].join(", ")}`);
    },
  },
  {
    id: "token-other-request",
    title: "The token of one request is refused for another, whose instance stays",
    source: `${source}: conflict`,
    needs: ["observe"],
    async run(bench) {
      const request = bench.request();
      const { id } = await bench.create(request);
      const other = { ...request, userData: `${request.userData}# another\n` };
      await expectFailure(bench.create(other), ["conflict"]);
      ensure(await bench.exists(id), `the instance ${id} of the first request is gone`);
    },
  },
  {
    id: "token-of-dead",
    title: "The token of a deleted instance never gives that instance back",
    source,
    needs: ["observe"],
    async run(bench) {
      const request = bench.request();
      await bench.create(request);
      await bench.remove(request);
      const again = await bench.outcome(bench.create(request));
      ensure(
        !again.ok || (await bench.exists(again.result.id)),
        "the answer is an instance that does not exist",
      );
    },
  },
  {
    id: "token-attempts",
    title: "Two attempts of one sandbox are two instances",
    source: "contract, CreateInstanceRequest.token",
    async run(bench) {
      const request = bench.request();
      const first = await bench.create(request);
      const second = await bench.create(bench.nextAttempt(request));
      ensure(first.id !== second.id, `both are ${first.id}`);
    },
  },
  {
    id: "token-malformed",
    title: "A malformed token is refused",
    source: "contract, CreateInstanceRequest.token",
    async run(bench) {
      for (const token of ["", "UPPER", "a b", "$(id)", "../x", "x".repeat(65)])
        await expectFailure(bench.create({ ...bench.request(), token }), ["invalid_request"]);
    },
  },
  {
    id: "create-parallel",
    title: "Creations at once give instances of their own with addresses of their own",
    source: "contract, Provider: all methods may be called concurrently",
    async run(bench) {
      const asked = Array.from({ length: bench.target.parallel ?? 5 }, () => bench.create(bench.request()));
      const instances = await Promise.all(asked);
      ensure(new Set(instances.map(({ id }) => id)).size === asked.length, "two of them have one id");
      const addresses = instances.flatMap((instance) => instance.addresses);
      ensure(new Set(addresses).size === addresses.length, "two of them have one address");
    },
  },
  {
    id: "teardown",
    title: "A connection can be closed twice, and instances outlive it",
    source: "contract, Provider.teardown",
    needs: ["observe"],
    async run(bench) {
      const provider = await bench.anotherProvider();
      const { id } = await provider.createInstance(bench.request(), bench.call());
      await provider.teardown();
      await provider.teardown();
      ensure(await bench.exists(id), `the instance ${id} is gone`);
    },
  },
];
