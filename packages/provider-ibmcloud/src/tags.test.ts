import { instanceTags, instanceToken } from "@peerpods/cloud-providers";
import { assert, constantFrom, dictionary, property, string } from "fast-check";
import { expect, it } from "vitest";
import { fromUserTags, tagForm, toUserTags, tokenTag } from "./tags.ts";

it("gives back what went in, whatever it was, in tags that IBM Cloud takes", () => {
  const key = constantFrom("peerpods-pod", "peerpods-node", "peerpods-cluster", "peerpods-name");
  // As much as the contract allows, of any characters: up to some thirty parts.
  const value = string({ unit: "binary", minLength: 1, maxLength: 256 });
  assert(
    property(dictionary(key, value, { minKeys: 1 }), (tags) => {
      const userTags = toUserTags(tags);
      for (const tag of userTags) expect(tag).toMatch(tagForm);
      // The tagging API keeps tags in lower case, and in no order.
      expect(fromUserTags(userTags.map((tag) => tag.toLowerCase()).toReversed())).toEqual(tags);
    }),
    { seed: 20261128 },
  );
});

it("keeps the tags of a pod readable", () => {
  const tags = instanceTags({
    clusterId: "3f2c0b0e-6a52-4c39-9f0b-0a5c9a3f0d11",
    nodeName: "worker-1.eu-de.example",
    podNamespace: "default",
    podName: "web",
    sandboxId: "ab".repeat(32),
    attempt: 1,
  });
  expect(toUserTags(tags)).toEqual([
    "peerpods-cluster:3f2c0b0e-6a52-4c39-9f0b-0a5c9a3f0d11",
    "peerpods-node:worker-1.eu-de.example",
    "peerpods-namespace:default",
    "peerpods-pod:web",
    `peerpods-sandbox:${"ab".repeat(32)}`,
    "peerpods-attempt:1",
    tokenTag(instanceToken("ab".repeat(32), 1)),
  ]);
});

it("brings the longest value through that the contract allows", () => {
  const tags = { "peerpods-cluster": "\u{1F600}".repeat(256) };
  const userTags = toUserTags(tags);
  expect(userTags.length).toBeGreaterThan(10);
  expect(fromUserTags(userTags.toReversed())).toEqual(tags);
});

it("splits a pod name of 253 characters, and passes over the account's own tags", () => {
  const podName = "p".repeat(253);
  const userTags = toUserTags({ "peerpods-pod": podName });
  expect(userTags).toHaveLength(3);
  expect(fromUserTags(["team:payments", "Just words", ...userTags])).toEqual({
    team: "payments",
    "peerpods-pod": podName,
  });
});
