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
import { createCallPolicy, silentLogger } from "@peerpods/cloud-providers";
import { startIbmcloudStandIn, type IbmcloudStandIn } from "@peerpods/ibmcloud-stand-in";
import { createLoopbackCertificate } from "@peerpods/test-harness/loopback-certificate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect } from "./testing/connect.ts";

let directory = "";
let standIn: IbmcloudStandIn;
const servers: Server[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "peerpods-ibmcloud-"));
  standIn = await startIbmcloudStandIn();
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await standIn[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function listing(env: Readonly<Record<string, string>>) {
  const policy = createCallPolicy({ scope: "test", retry: { maxTries: 1, baseMs: 1, maxMs: 1 } });
  const provider = await connect(standIn, { env, effects: { policy } });
  try {
    return await provider.listInstances({}, { signal: AbortSignal.timeout(30_000), logger: silentLogger });
  } finally {
    await provider.teardown();
    await provider.teardown();
  }
}

/** Passes a request on to the stand-in. */
function forward(seen: string[]): RequestListener {
  return (incoming, outgoing) => {
    const { pathname, search } = new URL(incoming.url ?? "/", "http://any");
    seen.push(pathname);
    incoming.pipe(
      httpRequest(
        `${standIn.origin}${pathname}${search}`,
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      ),
    );
  };
}

describe("the way to IBM Cloud", () => {
  it("goes by the proxy, IAM's token too, but for the hosts that are called without it", async () => {
    const seen: string[] = [];
    const port = await listen(createHttpServer(forward(seen)));
    const IBMCLOUD_HTTP_PROXY = `http://127.0.0.1:${port}`;
    await expect(listing({ IBMCLOUD_HTTP_PROXY })).resolves.toEqual([]);
    expect(seen).toEqual(["/identity/token", "/v1/volumes"]);
    await listing({ IBMCLOUD_HTTP_PROXY, IBMCLOUD_NO_PROXY: "127.0.0.1" });
    expect(seen).toHaveLength(2);
  });

  it("trusts a private authority where it is configured, and else names the option", async () => {
    const certificate = await createLoopbackCertificate();
    const port = await listen(createHttpsServer(certificate, forward([])));
    const bundle = join(directory, "ca.pem");
    await writeFile(bundle, certificate.cert);
    const env = {
      IBMCLOUD_VPC_ENDPOINT: `https://127.0.0.1:${port}/v1`,
      IBMCLOUD_IAM_ENDPOINT: `https://127.0.0.1:${port}/identity/token`,
    };
    await expect(listing(env)).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining("set ibmcloud-ca-bundle") as string,
    });
    await expect(listing({ ...env, IBMCLOUD_CA_BUNDLE: bundle })).resolves.toEqual([]);
    await expect(listing({ ...env, IBMCLOUD_CA_BUNDLE: join(directory, "none") })).rejects.toThrow(
      /ibmcloud-ca-bundle \(IBMCLOUD_CA_BUNDLE\): cannot read/,
    );
  });

  it("refuses an answer that is not as documented", async () => {
    const port = await listen(
      createHttpServer((incoming, outgoing) => {
        if (incoming.url?.startsWith("/v1") === true) {
          outgoing.writeHead(200, { "content-type": "application/json" }).end('{"volumes":[{"id":7}]}');
        } else forward([])(incoming, outgoing);
      }),
    );
    await expect(listing({ IBMCLOUD_VPC_ENDPOINT: `http://127.0.0.1:${port}/v1` })).rejects.toMatchObject({
      code: "internal",
      message: expect.stringMatching(
        /list_volumes: IBM Cloud's answer is not as documented: volumes\.0\.id/,
      ) as string,
    });
  });
});
