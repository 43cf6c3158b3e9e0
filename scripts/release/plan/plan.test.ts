import { describe, expect, it } from "vitest";
import type { Facts, PackageFacts } from "../facts/facts.ts";
import { lineOf } from "./line.ts";
import { planRelease, type Step } from "./plan.ts";

const main = lineOf("main", undefined);

interface Given {
  readonly version?: string;
  readonly changes?: Readonly<Record<string, "major" | "minor" | "patch" | "none">>;
  /** Versions tagged on this branch; default the version itself. */
  readonly tags?: readonly string[];
  readonly foreignTags?: readonly string[];
  readonly published?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly bundles?: boolean;
  readonly siblingsAtLastTag?: Readonly<Record<string, string>>;
  readonly changed?: boolean;
}

function facts(given: Readonly<Record<string, Given>>): Facts {
  return { changeFiles: [], packages: Object.entries(given).map(([name, one]) => packageFacts(name, one)) };
}

function packageFacts(name: string, given: Given): PackageFacts {
  const { version = "0.1.0", tags = [version], foreignTags = [], published = tags } = given;
  const toTag = (merged: boolean) => (tag: string) => ({
    name: `${name}/v${tag}`,
    shortName: name,
    version: tag,
    commit: `commit of ${tag}`,
    merged,
  });
  const all = [...tags.map(toTag(true)), ...foreignTags.map(toTag(false))].toReversed();
  return {
    name,
    shortName: name,
    version,
    dir: `/packages/${name}`,
    path: `packages/${name}`,
    bundles: given.bundles ?? false,
    dependencies: Object.entries(given.dependencies ?? {}).map(([sibling, spec]) => ({
      name: sibling,
      kind: /^\d/.test(spec) ? "exact" : "range",
      spec,
    })),
    changes: Object.entries(given.changes ?? {}).map(([id, type]) => ({ id, type })),
    tags: all,
    lastTag: all.find(({ merged }) => merged),
    published: {
      distTags: {},
      versions: new Map(
        published.map((one) => [one, { gitHead: `commit of ${one}`, tarball: "", dependencies: {} }]),
      ),
    },
    siblingsAtLastTag: new Map(Object.entries(given.siblingsAtLastTag ?? {})),
    changedSinceLastTag: given.changed ?? true,
  };
}

function told(steps: readonly Step[]): readonly string[] {
  return steps.map((step) => {
    const { name } = step.package;
    return step.kind === "take"
      ? `take ${step.taken.map(({ name: sibling, to }) => `${sibling} ${to}`).join(", ")} in ${name}`
      : `${step.kind} ${name} ${step.version}`;
  });
}

describe("what is to be released", () => {
  const chain = {
    contract: {},
    controller: { dependencies: { contract: "0.1.0" } },
    adaptor: { dependencies: { contract: "0.1.0", controller: "0.1.0" } },
  };

  it.each<{ why: string; given: Readonly<Record<string, Given>>; steps: readonly string[] }>([
    { why: "nothing", given: chain, steps: [] },
    {
      why: "what was never released, at the version that it has",
      given: { contract: { tags: [], changes: { first: "minor" } } },
      steps: ["tag contract 0.1.0", "publish contract 0.1.0"],
    },
    {
      why: "the rest of a chain takes exactly what was published before it",
      given: { ...chain, contract: { changes: { more: "minor" } } },
      steps: [
        "tag contract 0.2.0",
        "publish contract 0.2.0",
        "take contract 0.2.0 in controller",
        "tag controller 0.1.1",
        "publish controller 0.1.1",
        "take contract 0.2.0, controller 0.1.1 in adaptor",
        "tag adaptor 0.1.1",
        "publish adaptor 0.1.1",
      ],
    },
    {
      why: "only the last, which changes alone",
      given: { ...chain, adaptor: { ...chain.adaptor, changes: { mend: "patch" } } },
      steps: ["tag adaptor 0.1.1", "publish adaptor 0.1.1"],
    },
    {
      why: "a tag that was not published before it stopped",
      given: { ...chain, controller: { ...chain.controller, published: [] } },
      steps: ["publish controller 0.1.0"],
    },
    {
      why: "change files that ask for nothing",
      given: { contract: { changes: { tidy: "none" } } },
      steps: [],
    },
    {
      why: "a sibling that leaves the packed range",
      given: {
        library: { changes: { more: "minor" } },
        user: { dependencies: { library: "^" }, siblingsAtLastTag: { library: "0.1.0" } },
      },
      steps: [
        "tag library 0.2.0",
        "publish library 0.2.0",
        "take library 0.2.0 in user",
        "tag user 0.1.1",
        "publish user 0.1.1",
      ],
    },
    {
      why: "not who depends by a range that holds",
      given: {
        library: { changes: { mend: "patch" } },
        user: { dependencies: { library: "^" }, siblingsAtLastTag: { library: "0.1.0" } },
      },
      steps: ["tag library 0.1.1", "publish library 0.1.1"],
    },
    {
      why: "but who carries the sibling inside",
      given: {
        library: { changes: { mend: "patch" } },
        program: { bundles: true, dependencies: { library: "^" }, siblingsAtLastTag: { library: "0.1.0" } },
      },
      steps: [
        "tag library 0.1.1",
        "publish library 0.1.1",
        "take library 0.1.1 in program",
        "tag program 0.1.1",
        "publish program 0.1.1",
      ],
    },
  ])("$why", ({ given, steps }) => {
    expect(told(planRelease(facts(given), main))).toEqual(steps);
  });
});

describe("the version", () => {
  const versionOf = (given: Given, line = main): string | undefined => {
    const step = planRelease(facts({ one: given }), line).find(({ kind }) => kind === "tag");
    return step?.kind === "tag" ? step.version : undefined;
  };
  const alpha = lineOf("main", "alpha");

  it.each<{ why: string; given: Given; line?: typeof main; version: string | undefined }>([
    {
      why: "the largest change counts",
      given: { changes: { a: "patch", b: "major", c: "minor" } },
      version: "1.0.0",
    },
    {
      why: "the first pre-release",
      given: { changes: { a: "minor" } },
      line: alpha,
      version: "0.2.0-alpha.1",
    },
    {
      why: "the next pre-release, when something changed",
      given: { version: "0.2.0-alpha.1", tags: ["0.1.0", "0.2.0-alpha.1"], changes: { a: "minor" } },
      line: alpha,
      version: "0.2.0-alpha.2",
    },
    {
      why: "no pre-release of the same again",
      given: {
        version: "0.2.0-alpha.1",
        tags: ["0.1.0", "0.2.0-alpha.1"],
        changes: { a: "minor" },
        changed: false,
      },
      line: alpha,
      version: undefined,
    },
    {
      why: "a pre-release that grew",
      given: { version: "0.1.1-alpha.4", tags: ["0.1.0", "0.1.1-alpha.4"], changes: { a: "minor" } },
      line: alpha,
      version: "0.2.0-alpha.1",
    },
    {
      why: "the release that a pre-release led to",
      given: {
        version: "0.2.0-alpha.2",
        tags: ["0.1.0", "0.2.0-alpha.2"],
        changes: { a: "minor" },
        changed: false,
      },
      version: "0.2.0",
    },
    {
      why: "the first pre-release of what was never released",
      given: { tags: [], changes: { a: "minor" } },
      line: alpha,
      version: "0.1.0-alpha.1",
    },
    {
      why: "a patch of an older line",
      given: { tags: ["0.1.0"], foreignTags: ["0.2.0", "0.3.0"], changes: { mend: "patch" } },
      line: lineOf("patch/0.1", undefined),
      version: "0.1.1",
    },
  ])("$why", ({ given, line, version }) => {
    expect(versionOf(given, line)).toBe(version);
  });

  it("is never one that another branch took", () => {
    const given: Given = { foreignTags: ["0.1.1"], changes: { mend: "patch" } };
    expect(() => versionOf(given)).toThrow(expect.objectContaining({ code: "contradiction" }));
  });

  it("is a patch on a patch line", () => {
    expect(() => versionOf({ changes: { more: "minor" } }, lineOf("patch/0.1", undefined))).toThrow(
      expect.objectContaining({ code: "change_files" }),
    );
  });
});

describe("the line", () => {
  it.each([
    ["main", undefined, "latest"],
    ["main", "beta", "beta"],
    ["patch/0.1", undefined, "patch-0.1"],
    ["patch/0.1", "alpha", "alpha-0.1"],
  ])("of %s with %s is published as %s", (branch, preId, distTag) => {
    expect(lineOf(branch, preId).distTag).toBe(distTag);
  });

  it.each(["", "topic", "patch/", "patch/UP"])("is not the branch %j", (branch) => {
    expect(() => lineOf(branch, undefined)).toThrow(expect.objectContaining({ code: "wrong_branch" }));
  });
});
