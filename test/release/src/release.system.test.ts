import { afterEach, describe, expect, it } from "vitest";
import { createStand, packageNames, writeChange, type Stand } from "./index.ts";

let stand: Stand;
afterEach(() => stand[Symbol.asyncDispose]());

describe("a release", () => {
  it("tags and publishes each package after what it depends on, and nothing twice", async () => {
    stand = await createStand();
    const { checkout, registry } = stand;
    const plan = await checkout.release("plan");
    expect(plan.stderr).toBe("");
    expect(plan.stdout).toMatch(/1 .*cloud-providers.* 0\.1\.0 .*never released/);
    const first = await checkout.release();
    expect(first.stderr).toBe("");
    console.log(first.stdout);
    expect(await stand.state()).toEqual(
      Object.fromEntries(packageNames.map((name) => [name, { published: ["0.1.0"], tagged: ["0.1.0"] }])),
    );
    expect((await checkout.release()).stdout).toBe("everything is released");

    await writeChange(checkout, "more", { "cloud-providers": "minor" });
    await checkout.write("packages/cloud-providers/src/index.js", "export const name = 2;\n");
    await checkout.commit("More");
    await checkout.git("push", "--quiet");
    console.log((await checkout.release("plan")).stdout);
    const second = await checkout.release();
    console.log(second.stdout, second.stderr);
    console.log(
      await checkout.git("log", "--oneline", "--decorate", "-12"),
      await stand.state(),
      await registry.distTags("@peerpods/cloud-api-adaptor"),
    );
    console.log(await checkout.git("show", "HEAD"));
  });
});
