import { once } from "node:events";
import {
  createServer as createHttpServer,
  request as httpRequest,
  type RequestListener,
  type Server,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCallPolicy, loadOptions, silentLogger } from "@peerpods/cloud-providers";
import { createLoopbackCertificate } from "@peerpods/test-harness/loopback-certificate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsProvider } from "./manager.ts";
import { awsOptions } from "./options.ts";
import type { AwsProvider } from "./provider.ts";

const call = () => ({ signal: AbortSignal.timeout(30_000), logger: silentLogger });
const empty: RequestListener = (_request, response) =>
  void response.end(
    '<?xml version="1.0"?><DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><reservationSet/></DescribeInstancesResponse>',
  );

let directory = "";
const servers: Server[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "peerpods-aws-"));
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function listing(env: Readonly<Record<string, string>>) {
  const loaded = loadOptions(awsOptions, {
    argv: [],
    env: {
      AWS_ACCESS_KEY_ID: "AKIA",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "us-east-1",
      AWS_SUBNET_ID: "subnet-0123456789abcdef0",
      AWS_SG_IDS: "sg-0123456789abcdef0",
      PODVM_AMI_ID: "ami-0123456789abcdef0",
      ...env,
    },
  });
  const policy = createCallPolicy({ scope: "test", retry: { maxTries: 1, baseMs: 1, maxMs: 1 } });
  const aws = (await awsProvider({ policy }).newProvider({
    config: "values" in loaded ? loaded.values : {},
    logger: silentLogger,
    stateDir: directory,
    env: {},
  })) as AwsProvider;
  try {
    return await aws.listInstances({}, call());
  } finally {
    await aws.teardown();
  }
}

describe("the way to EC2", () => {
  it("leads through the proxy that is configured, except to the hosts that are named", async () => {
    const port = await listen(createHttpServer(empty));
    const seen: string[] = [];
    const proxy = await listen(
      createHttpServer((request, response) => {
        seen.push(request.url ?? "");
        const through = httpRequest(
          { host: "127.0.0.1", port, method: request.method, path: "/", headers: request.headers },
          (answer) => void answer.pipe(response.writeHead(answer.statusCode ?? 500)),
        );
        request.pipe(through);
      }),
    );
    // A name that only the proxy can make sense of.
    const env = {
      AWS_ENDPOINT_URL_EC2: "http://ec2.peerpods.invalid",
      AWS_HTTP_PROXY: `http://127.0.0.1:${proxy}`,
    };
    await expect(listing(env)).resolves.toEqual([]);
    expect(seen).toEqual(["http://ec2.peerpods.invalid/"]);
    const direct = { AWS_ENDPOINT_URL_EC2: `http://127.0.0.1:${port}`, AWS_NO_PROXY: "127.0.0.1" };
    await expect(listing({ ...env, ...direct })).resolves.toEqual([]);
    expect(seen).toHaveLength(1);
  });

  it("is trusted with a private authority, and only with it", async () => {
    const certificate = await createLoopbackCertificate();
    const port = await listen(createHttpsServer(certificate, empty));
    const env = { AWS_ENDPOINT_URL_EC2: `https://127.0.0.1:${port}` };
    await expect(listing(env)).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/set aws-ca-bundle/) as string,
    });
    const bundle = join(directory, "ca.pem");
    await writeFile(bundle, certificate.cert);
    await expect(listing({ ...env, AWS_CA_BUNDLE: bundle })).resolves.toEqual([]);
  });

  it.each([
    ["is missing", undefined],
    ["holds no certificate", "hello"],
  ])("is not taken with a bundle that %s", async (_what, content) => {
    const bundle = join(directory, "ca.pem");
    if (content !== undefined) await writeFile(bundle, content);
    await expect(listing({ AWS_CA_BUNDLE: bundle })).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/aws-ca-bundle \(AWS_CA_BUNDLE\)/) as string,
    });
  });

  it.each<[string, RequestListener, string]>([
    ["breaks off", (request) => void request.socket.destroy(), "unavailable"],
    [
      "answers with a page",
      (_request, response) => void response.writeHead(502).end("<html>bad gateway"),
      "unavailable",
    ],
    [
      "answers with something else",
      (_request, response) => void response.end("<html><body>hello"),
      "internal",
    ],
  ])("that %s is an error of the cloud", async (_what, listener, code) => {
    const port = await listen(createHttpServer(listener));
    await expect(listing({ AWS_ENDPOINT_URL_EC2: `http://127.0.0.1:${port}` })).rejects.toMatchObject({
      code,
    });
  });
});
