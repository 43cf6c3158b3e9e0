import { instanceTags, instanceToken } from "@peerpods/cloud-providers";
import { assert, constantFrom, dictionary, pre, property, string } from "fast-check";
import { expect, it } from "vitest";
import { fromUserTags, tagForm, toUserTags, tokenTag } from "./tags.ts";

it("gives back what went in, whatever it was, in tags that IBM Cloud takes", () => {
  const key = constantFrom("peerpods-pod", "peerpods-node", "peerpods-cluster", "peerpods-name");
  const value = string({ unit: "grapheme", minLength: 1, maxLength: 256 });
  assert(
    property(dictionary(key, value, { minKeys: 1 }), (tags) => {
      // Ten parts of a value are what there is room for; 256 characters of four bytes are more than the contract allows.
      pre(Object.values(tags).every((text) => Buffer.byteLength(text) * 3 < 900));
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

it("splits a pod name of 253 characters, and passes over the account's own tags", () => {
  const podName = "p".repeat(253);
  const userTags = toUserTags({ "peerpods-pod": podName });
  expect(userTags).toHaveLength(3);
  expect(fromUserTags(["team:payments", "Just words", ...userTags])).toEqual({
    team: "payments",
    "peerpods-pod": podName,
  });
});
