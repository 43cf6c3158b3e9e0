import { instanceToken } from "@peerpods/cloud-providers";
import { assert, property, stringMatching } from "fast-check";
import { expect, it } from "vitest";
import { vpcNameOf } from "./instance-name.ts";

const vpcName = /^([a-z]|[a-z][-a-z0-9]*[a-z0-9])$/;

it("is a name that the VPC takes, another for each token", () => {
  const token = stringMatching(/^[a-z0-9-]{1,64}$/);
  assert(
    property(token, token, (one, other) => {
      expect(vpcNameOf(one)).toMatch(vpcName);
      expect(vpcNameOf(one).length).toBeLessThanOrEqual(63);
      expect(vpcNameOf(one) === vpcNameOf(other)).toBe(one === other);
    }),
    { seed: 20261128 },
  );
});

it("shows the sandbox and the attempt", () => {
  expect(vpcNameOf(instanceToken("4ef7f83bbef5", 2))).toMatch(/^pp-4ef7f83b-[0-9a-f]{40}-a2$/);
});
