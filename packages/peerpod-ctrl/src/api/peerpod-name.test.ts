import * as fc from "fast-check";
import { expect, it } from "vitest";
import { peerPodName } from "./peerpod-name.ts";

it("is the reference's form, the same for the same sandbox and another for another", () => {
  const name = peerPodName("web-0", "4ef7f83b");
  expect(name).toMatch(/^web-0-resource-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  expect(peerPodName("web-0", "4ef7f83b")).toBe(name);
  expect(peerPodName("web-0", "4ef7f83c")).not.toBe(name);
});

it("is a valid object name for every pod name", () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  const podName = fc
    .array(label, { minLength: 1, maxLength: 6 })
    .map((labels) => labels.join(".").slice(0, 253));
  fc.assert(
    fc.property(podName, fc.string({ minLength: 1 }), (pod, sandbox) => {
      const name = peerPodName(pod, sandbox);
      expect(name.length).toBeLessThanOrEqual(253);
      expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    }),
  );
});
