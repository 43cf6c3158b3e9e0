import { expect, it } from "vitest";
import { recordOf } from "./inventory.ts";

it.each([
  ["pending", "pending"],
  ["starting", "pending"],
  ["running", "running"],
  ["deleting", "stopping"],
  ["stopping", "stopping"],
  ["stopped", "stopping"],
  ["failed", "unknown"],
])("an instance that the VPC calls %s is %s", (status, state) => {
  const nothing = { status_reasons: [], volume_attachments: [], network_interfaces: [] };
  const instance = { id: "0717_a", crn: "crn:v1", name: "podvm", status, ...nothing };
  expect(recordOf(instance, {}).state).toBe(state);
});
