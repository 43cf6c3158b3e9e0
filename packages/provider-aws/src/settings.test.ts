import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { silentLogger } from "@peerpods/cloud-providers";
import { afterEach, describe, expect, it } from "vitest";
import { awsConfig, type AwsConfig } from "./config.ts";
import { createMetadataService } from "./imds.ts";
import { resolveSettings } from "./settings.ts";
import { loadOptions } from "@peerpods/cloud-providers";
import { awsOptions } from "./options.ts";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const mac = "0a:1b:2c:3d:4e:5f";
const node: Readonly<Record<string, string>> = {
  "placement/region": "eu-west-1",
  mac,
  [`network/interfaces/macs/${mac}/subnet-id`]: "subnet-0aaaaaaaaaaaaaaaa",
  [`network/interfaces/macs/${mac}/security-group-ids`]: "sg-0aaaaaaaaaaaaaaaa\nsg-0bbbbbbbbbbbbbbbb",
  "public-keys/": "0=worker",
};

async function metadata(listener: RequestListener) {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return createMetadataService({
    AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
}

/** A metadata service as EC2 has it; `tokens: false` knows only version 1. */
function serving(values: Readonly<Record<string, string>>, { tokens = true } = {}): RequestListener {
  return (request, response) => {
    const path = request.url ?? "";
    if (request.method === "PUT" && path === "/latest/api/token")
      return void (tokens ? response.end("T") : response.writeHead(403).end());
    if (tokens && request.headers["x-aws-ec2-metadata-token"] !== "T")
      return void response.writeHead(401).end();
    const value = values[path.replace("/latest/meta-data/", "")];
    return void (value === undefined ? response.writeHead(404).end() : response.end(value));
  };
}

function config(env: Readonly<Record<string, string>> = {}): AwsConfig {
  const loaded = loadOptions(awsOptions, {
    argv: [],
    env: { PODVM_AMI_ID: "ami-0123456789abcdef0", ...env },
  });
  return awsConfig("values" in loaded ? loaded.values : {});
}

const call = () => ({ signal: AbortSignal.timeout(10_000), logger: silentLogger });
const full = {
  AWS_REGION: "us-east-1",
  AWS_SUBNET_ID: "subnet-0123456789abcdef0",
  AWS_SG_IDS: "sg-0123456789abcdef0",
};
const unused = {
  get: (path: string) => Promise.reject(new Error(`asked for ${path}`)),
};

describe("settings", () => {
  it.each([true, false])("are filled in from the worker node (tokens: %s)", async (tokens) => {
    const service = await metadata(serving(node, { tokens }));
    expect(await resolveSettings(config(), service, call())).toEqual({
      region: "eu-west-1",
      subnets: new Map([["", "subnet-0aaaaaaaaaaaaaaaa"]]),
      securityGroups: ["sg-0aaaaaaaaaaaaaaaa", "sg-0bbbbbbbbbbbbbbbb"],
      keyName: "worker",
    });
  });

  it("take only what the options leave open", async () => {
    const service = await metadata(serving(node));
    const settings = await resolveSettings(
      config({ AWS_REGION: "us-east-1", SSH_KP_NAME: "mine" }),
      service,
      call(),
    );
    expect(settings).toMatchObject({ region: "us-east-1", keyName: "mine" });
    expect(settings.subnets.get("")).toBe("subnet-0aaaaaaaaaaaaaaaa");
  });

  it("do without the node's key where it has none", async () => {
    const { "public-keys/": _, ...rest } = node;
    const service = await metadata(serving(rest));
    expect((await resolveSettings(config(), service, call())).keyName).toBe("");
  });

  it("do not ask the node when everything is given", async () => {
    expect(await resolveSettings(config(full), unused, call())).toMatchObject({
      region: "us-east-1",
      keyName: "",
    });
    const zones = { ...full, AWS_SUBNET_ID: "", AWS_ZONE_SUBNETS: "b=subnet-0bbbbbbbb,a=subnet-0aaaaaaaa" };
    expect([...(await resolveSettings(config(zones), unused, call())).subnets.keys()]).toEqual(["b", "a"]);
    const template = { USE_PODVM_LAUNCHTEMPLATE: "true", AWS_REGION: "us-east-1" };
    expect((await resolveSettings(config(template), unused, call())).securityGroups).toEqual([]);
  });

  it("say what is missing when the node does not tell", async () => {
    const silent = createMetadataService({ AWS_EC2_METADATA_DISABLED: "true" });
    await expect(resolveSettings(config(), silent, call())).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/aws-region.*subnetid.*securitygroupids/) as string,
    });
  });

  it.each<[string, RequestListener]>([
    ["is longer than it can be", (_request, response) => void response.end("x".repeat(70_000))],
    ["is an error", (_request, response) => void response.writeHead(500).end()],
    ["breaks off", (request) => void request.socket.destroy()],
    ["is no MAC address", serving({ ...node, mac: "../../x" })],
  ])("refuse an answer that %s", async (_what, listener) => {
    const service = await metadata(listener);
    await expect(resolveSettings(config(), service, call())).rejects.toMatchObject({
      code: "invalid_config",
    });
  });

  it("give up at once when the caller does", async () => {
    const service = await metadata(() => undefined);
    const gone = new AbortController();
    const asked = resolveSettings(config(), service, { signal: gone.signal, logger: silentLogger });
    gone.abort(new Error("gone"));
    await expect(asked).rejects.toThrow("gone");
  });
});
