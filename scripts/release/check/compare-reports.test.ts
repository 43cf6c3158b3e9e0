import { expect, it } from "vitest";
import { compareReports } from "./compare-reports.ts";

const report = (...lines: readonly string[]): string =>
  ["## API", "```ts", "", ...lines, "", "```", ""].join("\n");
const before = report(
  "// @public",
  "export interface Provider {",
  "    // (undocumented)",
  "    createInstance(request: Request): Promise<Instance>;",
  "    readonly name?: string;",
  "}",
  "",
  "// @public",
  "export const VERSION = 1;",
);

it.each<{ why: string; after: string; broken: readonly string[] }>([
  { why: "nothing changed", after: before, broken: [] },
  { why: "a declaration more", after: `${before}\n// @public\nexport function more(): void;\n`, broken: [] },
  {
    why: "an optional member more",
    after: before.replace("    readonly name", "    readonly zone?: string;\n    readonly name"),
    broken: [],
  },
  {
    why: "a member more that whoever implements it lacks",
    after: before.replace("    readonly name", "    reboot(id: string): Promise<void>;\n    readonly name"),
    broken: ["+ export interface Provider {: reboot(id: string): Promise<void>;"],
  },
  {
    why: "a member that is gone",
    after: before.replace("    readonly name?: string;\n", ""),
    broken: ["- export interface Provider {: readonly name?: string;"],
  },
  {
    why: "a parameter of another kind",
    after: before.replace("request: Request", "request: string"),
    broken: [
      "- export interface Provider {: createInstance(request: Request): Promise<Instance>;",
      "+ export interface Provider {: createInstance(request: string): Promise<Instance>;",
    ],
  },
  {
    why: "a declaration that is gone",
    after: before.replace("export const VERSION = 1;", ""),
    broken: ["- export const VERSION = 1;"],
  },
  { why: "only a comment", after: before.replace("// (undocumented)", "// told"), broken: [] },
])("$why", ({ after, broken }) => {
  expect(compareReports(before, after)).toEqual(broken);
});
