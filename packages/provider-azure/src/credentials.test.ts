import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { standInIds } from "@peerpods/azure-stand-in";
import { createCallPolicy, silentLogger } from "@peerpods/cloud-providers";
import { beforeEach, expect, it } from "vitest";
import { connect, type TestConnection } from "./testing/connect.ts";
import { describeWithAzure } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
/** What is wrong stays wrong, so nothing is repeated. */
const policy = createCallPolicy({
  scope: "azure stand-in",
  bucket: { capacity: 10_000, refillPerSecond: 1_000 },
  retry: { maxTries: 1, baseMs: 1, maxMs: 1 },
});

describeWithAzure("credentials", (standIn) => {
  beforeEach(() => {
    standIn().login.requests.length = 0;
    standIn().calls.length = 0;
  });

  async function listing(connection: TestConnection) {
    const azure = await connect(standIn(), { ...connection, effects: { policy } });
    try {
      return await azure.listInstances({}, call());
    } finally {
      await azure.teardown();
    }
  }

  async function tokenFile(content: string): Promise<string> {
    const file = join(dirname(standIn().caFile), "token");
    await writeFile(file, content);
    return file;
  }

  it("are the client's secret, and its token serves many calls", async () => {
    const azure = await connect(standIn(), { effects: { policy } });
    await azure.listInstances({}, call());
    await azure.listInstances({}, call());
    expect(standIn().login.requests).toEqual([
      { grant: "client_credentials", how: "secret", scope: expect.stringContaining("/.default") as string },
    ]);
  });

  it("are the workload's identity where there is no secret", async () => {
    const file = await tokenFile(standInIds.federatedToken);
    const env = { AZURE_CLIENT_SECRET: "", AZURE_FEDERATED_TOKEN_FILE: file };
    await expect(listing({ env })).resolves.toEqual([]);
    expect(standIn().login.requests).toMatchObject([{ how: "assertion" }]);
    await tokenFile("somebody-else");
    await expect(listing({ env })).rejects.toMatchObject({ code: "unauthorized" });
    await expect(
      listing({ env: { ...env, AZURE_FEDERATED_TOKEN_FILE: "/nonexistent" } }),
    ).rejects.toMatchObject({ code: "unauthorized" });
  });

  it.each<[string, TestConnection["env"], RegExp]>([
    ["missing", { AZURE_CLIENT_SECRET: "" }, /secret \(AZURE_CLIENT_SECRET\)/],
    ["without a tenant", { AZURE_TENANT_ID: "" }, /tenantid \(AZURE_TENANT_ID\)/],
    ["of nobody", { AZURE_CLIENT_ID: "00000000-0000-0000-0000-000000000000" }, /AADSTS700016/],
    ["with a wrong secret", { AZURE_CLIENT_SECRET: "wrong-secret-value" }, /AADSTS7000215/],
    ["of another tenant", { AZURE_TENANT_ID: "00000000-0000-0000-0000-000000000000" }, /AADSTS90002/],
  ])("%s are refused, and the verifier says so once", async (_what, env = {}, message) => {
    await expect(listing({ env })).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(message) as string,
    });
    const azure = await connect(standIn(), { env, effects: { policy } });
    expect(await azure.configVerifier(call())).toEqual([
      expect.objectContaining({ severity: "error", subject: "credentials" }),
    ]);
  });

  it("go only to servers whose certificate is trusted", async () => {
    await expect(listing({ env: { AZURE_CA_BUNDLE: "" } })).rejects.toMatchObject({
      message: expect.not.stringContaining(standInIds.secret) as string,
    });
    expect(standIn().login.requests).toEqual([]);
    expect(standIn().calls).toEqual([]);
  });
});
