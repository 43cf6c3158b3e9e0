import { hasInventory } from "../../abilities.ts";
import { matchesTags } from "../../identity/instance-tags.ts";
import { ensure, expectFailure, type Rule } from "../rule.ts";

/** Every sign that a carrier could mangle: YAML, shell, XML, percent and base64 alphabets, two to four byte characters. */
const awkward = [
  "#cloud-config",
  "",
  "write_files:",
  "  - path: /run/peerpod/apf.json",
  "    content: |",
  '      {\t"key": "a \\" quote", "$HOME": "`id` $(id) %20 <a href=\'x\'>&amp;</a>]]>" }',
  "      ÄÖÜ ß – 漢字 😀 \u00a0",
  "      +/=-_~",
  "",
].join("\n");

/** What is carried to the cloud, whole. */
export const requestRules: readonly Rule[] = [
  {
    id: "user-data-intact",
    title: "The guest reads the user data byte for byte",
    source: "contract, CreateInstanceRequest.userData",
    needs: ["userDataOf"],
    async run(bench) {
      const { id } = await bench.create(bench.request({ userData: awkward }));
      const read = (await bench.target.userDataOf?.(id)) ?? "";
      ensure(
        read === awkward,
        `${awkward.length} characters were sent, ${read.length} came, and they differ`,
      );
    },
  },
  {
    id: "user-data-limit",
    title: "User data of the largest size arrives; one byte more is refused before anything is made",
    source: "contract, CreateInstanceRequest.userData: its size is checked first",
    needs: ["maxUserDataBytes", "census"],
    async run(bench) {
      const max = bench.target.maxUserDataBytes ?? 0;
      // Two-byte characters: whoever counts characters lets through twice the limit.
      const largest = `#${max % 2 === 0 ? "#" : ""}${"é".repeat(Math.floor((max - 1) / 2))}`;
      ensure(Buffer.byteLength(largest) === max, "the kit has miscounted");
      await bench.create(bench.request({ userData: largest }));
      const before = await bench.census();
      const calls = bench.target.faults?.callCount();
      await expectFailure(bench.create(bench.request({ userData: `${largest}x` })), ["invalid_request"]);
      await bench.ensureNothingNew(before, "after the refusal");
      ensure(bench.target.faults?.callCount() === calls, "the cloud was asked before the size was checked");
    },
  },
  {
    id: "name-longest",
    title: "A name of 63 characters and a token of 64 are taken",
    source: "contract, CreateInstanceRequest.name and token",
    async run(bench) {
      const request = { ...bench.request({ podName: "p".repeat(80) }) };
      ensure(request.name.length === 63, "the kit has miscounted");
      const { name } = await bench.create(request);
      ensure(name === request.name, `the name came back as ${name}`);
    },
  },
  {
    id: "tags-on-instance",
    title: "The instance carries every tag",
    source: "contract, Tags",
    abilities: ["inventory"],
    async run(bench) {
      const request = bench.request();
      const { id } = await bench.create(request);
      const provider = await bench.provider();
      ensure(hasInventory(provider), "the ability is declared but missing");
      const record = await provider.getInstance({ instanceId: id }, bench.call());
      ensure(matchesTags(record?.tags ?? {}, request.tags), `it carries ${JSON.stringify(record?.tags)}`);
    },
  },
  {
    id: "tags-on-everything",
    title: "Each sub-resource that can carry tags carries every tag",
    source: "contract, Tags",
    needs: ["tagsOf"],
    async run(bench) {
      const request = bench.request({ spec: bench.fullSpec() });
      const { id } = await bench.create(request);
      const tagged = Object.entries((await bench.target.tagsOf?.(id)) ?? {});
      ensure(tagged.length > 0, "the target names no resource");
      for (const [name, tags] of tagged)
        ensure(matchesTags(tags, request.tags), `${name} carries ${JSON.stringify(tags)}`);
    },
  },
  {
    id: "spec-names-nothing",
    title: "A spec that names what does not exist is refused and leaves nothing",
    source: "contract, Provider.createInstance: invalid_request, not_found",
    needs: ["badSpecs", "census"],
    async run(bench) {
      const before = await bench.census();
      for (const spec of Object.values(bench.target.badSpecs ?? {}))
        await expectFailure(bench.create(bench.request({ spec })), ["invalid_request", "not_found"]);
      await bench.ensureNothingNew(before, "after the refusals");
    },
  },
];
