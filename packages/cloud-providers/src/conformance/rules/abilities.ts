import {
  abilitiesOf,
  hasConsoleLogs,
  isPlacementAware,
  supportsImages,
  supportsMultiNic,
  supportsSpot,
  supportsVolumes,
} from "../../abilities.ts";
import { ensure, expectFailure, type Rule } from "../rule.ts";

const MISSING = "the ability is declared but missing";

/** Abilities beyond the contract's core. */
export const abilityRules: readonly Rule[] = [
  {
    id: "abilities-declared",
    title: "The provider has the abilities that it declares, and no others",
    source: "contract, abilities",
    async run(bench) {
      const has = abilitiesOf(await bench.provider())
        .toSorted()
        .join(", ");
      const declared = [...bench.target.abilities].sort().join(", ");
      ensure(has === declared, `declared are: ${declared}; there are: ${has}`);
    },
  },
  {
    id: "abilities-refused",
    title: "A spec that asks for what the provider does not offer is refused",
    source: "contract, abilities",
    async run(bench) {
      const { abilities } = bench.target;
      const asks = [
        ...(abilities.includes("multiNic") ? [] : [{ multiNic: true }]),
        ...(abilities.includes("volumes") ? [] : [{ volumes: [{ diskId: "vol-1" }] }]),
        ...(abilities.includes("spot") ? [] : [{ spot: true }]),
      ];
      for (const spec of asks)
        await expectFailure(bench.create(bench.request({ spec })), ["invalid_request"]);
    },
  },
  {
    id: "placements",
    title: "There is a placement for a spec that works, and an instance can be made there",
    source: "contract, PlacementAware.placements",
    abilities: ["placements"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(isPlacementAware(provider), MISSING);
      const request = bench.request();
      const [placement] = await provider.placements(request.spec, bench.call());
      ensure(placement !== undefined, "there is no placement");
      await bench.create({ ...request, placement });
    },
  },
  {
    id: "placements-no-capacity",
    title:
      "A placement without machines is refused with no_capacity, leaves nothing, and is not the first choice for a while",
    source: "contract, PlacementAware.placements",
    abilities: ["placements"],
    needs: ["capacity", "census"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(isPlacementAware(provider), MISSING);
      const before = await bench.census();
      const request = bench.request();
      const placements = await provider.placements(request.spec, bench.call());
      const [full] = placements;
      ensure(full !== undefined && placements.length > 1, "the target needs two placements or more");
      await bench.target.capacity?.(full, false);
      try {
        await expectFailure(bench.create({ ...request, placement: full }), ["no_capacity"]);
        await bench.ensureNothingNew(before, "after the refusal");
        const [next] = await provider.placements(request.spec, bench.call());
        ensure(
          next !== undefined && JSON.stringify(next) !== JSON.stringify(full),
          "it is the first choice again",
        );
        await bench.create({ ...bench.nextAttempt(request), placement: next });
      } finally {
        await bench.target.capacity?.(full, true);
      }
    },
  },
  {
    id: "volumes",
    title: "Data volumes are attached in their order, and stay when the instance goes",
    source: "contract, Volumes",
    abilities: ["volumes"],
    needs: ["volumes"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(supportsVolumes(provider), MISSING);
      const wanted = (bench.target.volumes ?? []).toReversed();
      for (const attempt of [1, 2]) {
        const request = bench.request({ attempt, spec: { volumes: wanted.map((diskId) => ({ diskId })) } });
        const { id } = await bench.create(request);
        const attached = await provider.attachedVolumes({ instanceId: id }, bench.call());
        const order = attached.map(({ diskId }) => diskId).join();
        ensure(order === wanted.join(), `asked for ${wanted.join()}, attached are ${order}`);
        await bench.remove(request);
      }
    },
  },
  {
    id: "volumes-missing",
    title: "A volume that does not exist, or too many of them, fail the creation before an instance is made",
    source: "contract, Volumes",
    abilities: ["volumes"],
    needs: ["census"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(supportsVolumes(provider), MISSING);
      const before = await bench.census();
      const tooMany = Array.from({ length: provider.maxVolumes + 1 }, (_, index) => ({
        diskId: `vol-${index}`,
      }));
      for (const volumes of [[{ diskId: "vol-that-does-not-exist" }], tooMany])
        await expectFailure(bench.create(bench.request({ spec: { volumes } })), [
          "invalid_request",
          "not_found",
        ]);
      await bench.ensureNothingNew(before, "after the refusals");
    },
  },
  {
    id: "multi-nic",
    title: "A second network interface is there when it is asked for, and only then",
    source: "contract, MultiNic",
    abilities: ["multiNic"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(supportsMultiNic(provider), MISSING);
      for (const multiNic of [true, false]) {
        const { id } = await bench.create(bench.request({ spec: { multiNic } }));
        const interfaces = await provider.networkInterfaces({ instanceId: id }, bench.call());
        ensure(
          interfaces.length === (multiNic ? 2 : 1),
          `with multiNic ${multiNic} there are ${interfaces.length}`,
        );
        ensure(
          interfaces.every(({ index }, at) => index === at),
          "they are not counted from 0",
        );
      }
    },
  },
  {
    id: "spot",
    title: "A spot machine is one when it is asked for, and only then",
    source: "contract, Spot",
    abilities: ["spot"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(supportsSpot(provider), MISSING);
      for (const spot of [true, false]) {
        const { id } = await bench.create(bench.request({ spec: { spot } }));
        const state = await provider.spotState({ instanceId: id }, bench.call());
        ensure(state.spot === spot, `asked for spot ${spot}, it is ${state.spot}`);
      }
    },
  },
  {
    id: "console-logs",
    title:
      "Logs of an instance can be read, the console first, no more than was asked for; of one that is gone there are none",
    source: "contract, ConsoleLogs",
    abilities: ["consoleLogs"],
    async run(bench) {
      const provider = await bench.provider();
      ensure(hasConsoleLogs(provider), MISSING);
      const request = bench.request();
      const { id } = await bench.create(request);
      const read = (maxBytes: number) => provider.consoleLogs({ instanceId: id, maxBytes }, bench.call());
      ensure((await read(65_536))[0]?.name === "console", "the first log is not the console");
      for (const { name, text } of await read(4))
        ensure(
          Buffer.byteLength(text) <= 4,
          `4 bytes were asked for, ${name} has ${Buffer.byteLength(text)}`,
        );
      await bench.remove(request);
      ensure((await read(4)).length === 0, "there are logs of a deleted instance");
    },
  },
  {
    id: "images",
    title:
      "An image that is uploaded twice is one image, works, and is gone when it is deleted, however often",
    source: "contract, Images",
    abilities: ["images"],
    needs: ["imageFile"],
    async run(bench) {
      const provider = await bench.provider();
      const file = bench.target.imageFile;
      ensure(supportsImages(provider) && file !== undefined, MISSING);
      const { tags } = bench.request();
      const upload = { ...file, name: `conformance-${bench.shared.runId}`, tags };
      const { image } = await provider.uploadImage(upload, bench.call());
      try {
        const again = await provider.uploadImage(upload, bench.call());
        ensure(again.image === image, `the first upload made ${image}, the second ${again.image}`);
        const errors = (await provider.checkImage(image, bench.call())).filter(
          ({ severity }) => severity === "error",
        );
        ensure(errors.length === 0, `the check says: ${errors.map(({ message }) => message).join("; ")}`);
        await bench.create(bench.request({ spec: { image } }));
      } finally {
        await provider.deleteImage(image, bench.call());
      }
      await provider.deleteImage(image, bench.call());
      const findings = await provider.checkImage(image, bench.call());
      ensure(
        findings.some(({ severity }) => severity === "error"),
        "the check says nothing of a deleted image",
      );
    },
  },
];
