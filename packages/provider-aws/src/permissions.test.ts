import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { permissionSets, permissionsMarkdown, permissionsPolicy } from "./permissions.ts";

const file = async (path: string) => await readFile(new URL(`../${path}`, import.meta.url), "utf8");

it("the policy that is shipped and the table of the README are those that the tests hold", async () => {
  expect(JSON.parse(await file("deploy/iam-policy.json"))).toEqual(permissionsPolicy(permissionSets));
  expect(await file("README.md")).toContain(permissionsMarkdown(permissionSets));
});

it("no action is listed twice, and every statement has an id as IAM takes it", () => {
  const actions = permissionSets.flatMap((set) => set.actions);
  expect(new Set(actions).size).toBe(actions.length);
  const ids = permissionSets.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]+$/);
});
