import { expect, it } from "vitest";
import type { InstanceStateName } from "@aws-sdk/client-ec2";
import { recordOf } from "./inventory.ts";

it.each([
  ["pending", "pending"],
  ["running", "running"],
  ["shutting-down", "stopping"],
  ["stopping", "stopping"],
  ["stopped", "stopping"],
  ["terminated", "gone"],
] as const satisfies (readonly [InstanceStateName, string])[])(
  "an instance that EC2 calls %s is %s",
  (Name, state) => {
    expect(recordOf({ State: { Name } }, { publicAddress: false }).state).toBe(state);
  },
);
