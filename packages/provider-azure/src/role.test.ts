import { readFile } from "node:fs/promises";
import { silentLogger } from "@peerpods/cloud-providers";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { newDisk, standInImages, type AzureStandIn } from "@peerpods/azure-stand-in";
import { beforeAll, beforeEach, expect, it } from "vitest";
import type { AzureProvider } from "./provider.ts";
import { allActions, roleDefinition } from "./role.ts";
import { census } from "./testing/azure-account.ts";
import { connect } from "./testing/connect.ts";
import { describeWithAzure } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });

/**
 * Everything that the provider can do: with each of its abilities, in the verifier with each kind of image, and what a crash
 * leaves behind.
 * @returns what the verifier found.
 */
async function doEverything(
  standIn: AzureStandIn,
): Promise<{ readonly said: string; readonly failure?: unknown }> {
  const images = [standInImages.good, standInImages.community, standInImages.managed];
  const providers = await Promise.all(
    images.map((image) =>
      connect(standIn, {
        effects: { pollMs: 5, watch: false },
        env: { USE_PUBLIC_IP: "true", AZURE_IMAGE_ID: image },
      }),
    ),
  );
  const findings = await Promise.all(providers.map((provider) => provider.configVerifier(call())));
  const said = findings.flat().map(({ message }) => message);
  try {
    await aWholeLife(standIn, providers[0] as AzureProvider);
    return { said: said.join("\n") };
  } catch (failure) {
    return { said: [...said, (failure as Error).message].join("\n"), failure };
  }
}

async function aWholeLife({ account }: AzureStandIn, azure: AzureProvider): Promise<void> {
  const volume = newDisk(account, { name: "data" }).id;
  const request = testRequest({ spec: { multiNic: true, volumes: [{ diskId: volume }] } });
  const { id } = await azure.createInstance(request, call());
  await azure.consoleLogs({ instanceId: id, maxBytes: 10 }, call());
  expect(await azure.listInstances(request.tags, call())).toHaveLength(1);
  expect(await azure.getInstance({ instanceId: id }, call())).toBeDefined();
  await azure.deleteInstance({ instanceId: id, token: request.token, tags: request.tags }, call());
  await azure.deleteInstance({ token: request.token, tags: request.tags }, call());
  account.remove(volume);
}

describeWithAzure("the role", (standIn) => {
  let role: { readonly Actions: readonly string[] };

  beforeAll(async () => {
    const text = await readFile(new URL("../deploy/role.json", import.meta.url), "utf8");
    role = JSON.parse(text) as typeof role;
  });

  beforeEach(() => {
    standIn().calls.length = 0;
    standIn().account.retryAfterSeconds = 0;
    for (const { id } of standIn().account.resources.values()) standIn().account.remove(id);
  });

  it("is the one that is written down", () => {
    expect(role).toEqual(roleDefinition());
  });

  it("is enough for everything, and names no action that was not asked for", async () => {
    const { account, calls } = standIn();
    account.granted = role.Actions;
    expect(await doEverything(standIn())).toEqual({ said: "" });
    expect(census(standIn())).toEqual([]);
    // What a call needs on other resources than its own is not in its line; each is taken away below.
    const own = new Set(calls.map(({ action }) => action).filter((action) => action !== ""));
    const linked = role.Actions.filter((action) => !own.has(action));
    expect(linked).toEqual([
      "Microsoft.Compute/disks/write",
      "Microsoft.Network/networkInterfaces/join/action",
      "Microsoft.Network/networkSecurityGroups/join/action",
      "Microsoft.Network/publicIPAddresses/join/action",
      "Microsoft.Network/virtualNetworks/subnets/join/action",
    ]);
    expect([...own].filter((action) => !role.Actions.includes(action))).toEqual([]);
  });

  it.each(allActions())(
    "without %s is not enough, and the verifier or a refusal names it",
    async (action) => {
      const { account } = standIn();
      account.granted = role.Actions.filter((one) => one !== action);
      const { said } = await doEverything(standIn());
      expect(said).toContain(action);
      account.granted = ["*"];
    },
  );
});
