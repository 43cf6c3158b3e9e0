import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

// In a process of its own, because vitest has an import of its own and may have loaded the SDK for another test.
const script = `
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({
    resolve(specifier, context, next) {
      if (/^@(aws-sdk|smithy)\\//.test(specifier)) loaded.push(specifier);
      return next(specifier, context);
    },
  });
  const { loadOptions, silentLogger } = await import("@peerpods/cloud-providers");
  const { provider } = await import("@peerpods/provider-aws");
  const env = {
    AWS_ACCESS_KEY_ID: "AKIANOBODY", AWS_SECRET_ACCESS_KEY: "x", AWS_REGION: "us-east-1",
    AWS_SUBNET_ID: "subnet-0a1b2c3d", AWS_SG_IDS: "sg-0a1b2c3d", PODVM_AMI_ID: "ami-0a1b2c3d",
    AWS_ENDPOINT_URL_EC2: "http://127.0.0.1:1",
  };
  const { values: config } = loadOptions(provider.options, { argv: [], env });
  const connected = await provider.newProvider({ config, logger: silentLogger, stateDir: "/nonexistent", env: {} });
  const whenConnected = loaded.length;
  const call = { signal: AbortSignal.timeout(20_000), deadline: Date.now(), logger: silentLogger };
  const failed = await connected.getInstance({ token: "t" }, call).then(() => "nothing", (error) => error.code);
  await connected.teardown();
  console.log(JSON.stringify({ whenConnected, failed, ec2: loaded.includes("@aws-sdk/client-ec2") }));
`;

it("loads nothing of the SDK before the first call", { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@peerpods/source", "--input-type=module", "--eval", script],
    { cwd: import.meta.dirname, timeout: 50_000 },
  );
  expect(JSON.parse(stdout)).toEqual({ whenConnected: 0, failed: "unavailable", ec2: true });
});
