import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMetadataStandIn, startStsStandIn } from "@peerpods/aws-stand-in";
import { silentLogger } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connect, type TestConnection } from "./testing/connect.ts";
import { describeWithEc2 } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(60_000), logger: silentLogger });
const session = {
  accessKeyId: "ASIASESSION",
  secretAccessKey: "session-secret",
  sessionToken: "session-token",
};
const noKeys = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };

await describeWithEc2("credentials", (suite) => {
  let directory = "";

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "peerpods-aws-"));
    suite().standIn.keys.set(session.accessKeyId, session);
    // What the machine of the developer has must not help.
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"])
      vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(directory, "none"));
    vi.stubEnv("AWS_CONFIG_FILE", join(directory, "none"));
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true, force: true });
  });

  const listing = async (connection: TestConnection) => {
    const aws = await connect(suite().standIn, suite().account, connection);
    try {
      return await aws.listInstances({ "peerpods-cluster": "c" }, call());
    } finally {
      await aws.teardown();
    }
  };

  it("are the given keys, with a session token where there is one", async () => {
    await expect(listing({})).resolves.toEqual([]);
    await expect(
      listing({
        env: {
          AWS_ACCESS_KEY_ID: session.accessKeyId,
          AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
          AWS_SESSION_TOKEN: session.sessionToken,
        },
      }),
    ).resolves.toEqual([]);
  });

  it("come from a profile", async () => {
    const file = join(directory, "credentials");
    await writeFile(
      file,
      `[default]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = x\n[pods]\naws_access_key_id = ${session.accessKeyId}\naws_secret_access_key = ${session.secretAccessKey}\naws_session_token = ${session.sessionToken}\n`,
    );
    const chainEnv = { AWS_SHARED_CREDENTIALS_FILE: file };
    await expect(listing({ env: noKeys, argv: ["-aws-profile", "pods"], chainEnv })).resolves.toEqual([]);
    await expect(listing({ env: noKeys, chainEnv: { ...chainEnv, AWS_PROFILE: "pods" } })).resolves.toEqual(
      [],
    );
    await expect(listing({ env: noKeys, chainEnv })).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("come from the web identity of a service account", async () => {
    const file = join(directory, "token");
    await writeFile(file, "web-identity-of-the-pod");
    await using sts = await startStsStandIn({
      webIdentityToken: "web-identity-of-the-pod",
      credentials: session,
    });
    vi.stubEnv("AWS_ENDPOINT_URL_STS", sts.endpoint);
    const chainEnv = {
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/peer-pods",
    };
    await expect(listing({ env: noKeys, chainEnv })).resolves.toEqual([]);
    expect(sts.calls).toEqual([
      expect.objectContaining({
        RoleArn: chainEnv.AWS_ROLE_ARN,
        WebIdentityToken: "web-identity-of-the-pod",
      }),
    ]);
    await writeFile(file, "somebody-else");
    await expect(listing({ env: noKeys, chainEnv })).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("come from the role of the worker node, also when half a pair of keys is given", async () => {
    await using metadata = await startMetadataStandIn({
      "iam/security-credentials/": "node-role",
      "iam/security-credentials/node-role": JSON.stringify({
        Code: "Success",
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        Token: session.sessionToken,
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    });
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", undefined);
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.endpoint);
    const env = { AWS_ACCESS_KEY_ID: "AKIAHALF", AWS_SECRET_ACCESS_KEY: "" };
    await expect(listing({ env })).resolves.toEqual([]);
  });

  it.each<[string, TestConnection["env"], RegExp]>([
    ["missing", noKeys, /give aws-access-key-id and aws-secret-key/],
    ["of nobody", { AWS_ACCESS_KEY_ID: "AKIANOBODY" }, /AuthFailure/],
    ["with a wrong secret", { AWS_SECRET_ACCESS_KEY: "wrong-secret-value" }, /SignatureDoesNotMatch/],
    ["with a wrong session", { AWS_SESSION_TOKEN: "wrong-session" }, /AuthFailure/],
  ])("%s are refused, and the verifier says so once", async (_what, env = {}, message) => {
    await expect(listing({ env })).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(message) as string,
    });
    const aws = await connect(suite().standIn, suite().account, { env });
    expect(await aws.configVerifier(call())).toEqual([
      expect.objectContaining({ severity: "error", subject: "credentials" }),
    ]);
  });

  it("that have expired are told apart", async () => {
    const { standIn } = suite();
    standIn.keys.set("ASIAEXPIRED", { secretAccessKey: "x", sessionToken: "y", expired: true });
    const env = { AWS_ACCESS_KEY_ID: "ASIAEXPIRED", AWS_SECRET_ACCESS_KEY: "x", AWS_SESSION_TOKEN: "y" };
    await expect(listing({ env })).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(/credentials have expired/) as string,
    });
  });
});
