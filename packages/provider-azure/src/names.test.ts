import { instanceToken } from "@peerpods/cloud-providers";
import { assert, property, stringMatching } from "fast-check";
import { describe, expect, it } from "vitest";
import { computerNameOf, machineIdForm, machineNameOf, partNames, resourceId } from "./names.ts";

/** ARM's rules, from its documentation: machines and hosts 64 characters, what is made with them 80. */
const machineForm = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const partForm = /^[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?$/;

describe("names", () => {
  it("are within ARM's rules for every token, and as many as there are tokens", () => {
    const token = stringMatching(/^[a-z0-9-]{1,64}$/);
    assert(
      property(token, token, (one, other) => {
        const name = machineNameOf(one);
        const { interfaces, addresses, rootDisk } = partNames(name);
        expect(name).toMatch(machineForm);
        for (const part of [...interfaces, ...addresses, rootDisk]) expect(part).toMatch(partForm);
        expect(name === machineNameOf(other)).toBe(one === other);
      }),
    );
  });

  it("say the token of every sandbox", () => {
    const token = instanceToken("4ef7f83b".padEnd(64, "0"), 999_999);
    expect(machineNameOf(token)).toBe(`podvm-${token}`);
  });

  it("of hosts have no dash at their ends", () => {
    assert(
      property(stringMatching(/^[a-z0-9-]{1,63}$/), (name) => {
        expect(computerNameOf(name)).toMatch(machineForm);
      }),
    );
    expect(computerNameOf("podvm-web-0-4ef7f83b")).toBe("podvm-web-0-4ef7f83b");
  });

  it("make ids that are recognised", () => {
    const place = { subscription: "33333333-3333-3333-3333-333333333333", group: "rg (1)".replace(" ", "") };
    expect(decodeURIComponent(resourceId(place, "machine", machineNameOf("t-a1")))).toMatch(machineIdForm);
  });
});
