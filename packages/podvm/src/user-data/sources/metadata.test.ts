import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alibabaCloudSource } from "./alibabacloud.ts";
import { awsSource } from "./aws.ts";
import { azureSource } from "./azure.ts";
import { gcpSource } from "./gcp.ts";
import { userDataSources } from "./index.ts";

let root: string;
let server: Server;
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "metadata-"));
  requests = [];
  server = createServer((request, response) => {
    const headers = [
      "metadata",
      "metadata-flavor",
      "x-aws-ec2-metadata-token",
      "x-aws-ec2-metadata-token-ttl-seconds",
    ];
    const given = headers.flatMap((name) =>
      request.headers[name] === undefined ? [] : [`${name}=${String(request.headers[name])}`],
    );
    requests.push([request.method, request.url, ...given].join(" "));
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true, force: true });
});

const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const call = { signal: AbortSignal.timeout(20_000) };
const text = "#cloud-config\n";
const encoded = Buffer.from(text).toString("base64");
const say = (body: string) => (_request: IncomingMessage, response: ServerResponse) =>
  void response.end(body);

describe("what each cloud is asked", () => {
  it("Azure, base64", async () => {
    answer = say(encoded);
    expect(String(Buffer.from(await azureSource(root, base()).read(call)))).toBe(text);
    expect(requests).toEqual([
      "GET /metadata/instance/compute/userData?api-version=2021-01-01&format=text metadata=true",
    ]);
  });

  it("GCP, base64 in lines", async () => {
    answer = say(`${encoded.slice(0, 4)}\n${encoded.slice(4)}\n`);
    expect(String(Buffer.from(await gcpSource(root, base()).read(call)))).toBe(text);
    expect(requests).toEqual([
      "GET /computeMetadata/v1/instance/attributes/user-data metadata-flavor=Google",
    ]);
  });

  it("Alibaba Cloud, as it is", async () => {
    answer = say(text);
    expect(String(Buffer.from(await alibabaCloudSource(root, base()).read(call)))).toBe(text);
    expect(requests).toEqual(["GET /latest/user-data"]);
  });

  it("EC2, with a session token", async () => {
    answer = (request, response) => void response.end(request.method === "PUT" ? "TOKEN" : text);
    expect(String(Buffer.from(await awsSource(root, base()).read(call)))).toBe(text);
    expect(requests).toEqual([
      "PUT /latest/api/token x-aws-ec2-metadata-token-ttl-seconds=60",
      "GET /latest/user-data x-aws-ec2-metadata-token=TOKEN",
    ]);
  });

  it("EC2, without one where version 1 is all there is", async () => {
    answer = (request, response) => void response.writeHead(request.method === "PUT" ? 403 : 200).end(text);
    expect(String(Buffer.from(await awsSource(root, base()).read(call)))).toBe(text);
    expect(requests[1]).toBe("GET /latest/user-data");
  });
});

describe("answers that cannot be used", () => {
  it.each([
    [
      "another status",
      (response: ServerResponse) => response.writeHead(404).end("nothing here"),
      "unavailable",
    ],
    ["an empty body", (response: ServerResponse) => response.end(), "unavailable"],
    [
      "a redirect",
      (response: ServerResponse) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      "unavailable",
    ],
    ["a connection that breaks", (response: ServerResponse) => response.destroy(), "unavailable"],
    ["an endless body", (response: ServerResponse) => response.end(Buffer.alloc(8 << 20, 0x61)), "too_large"],
    [
      "text where base64 belongs",
      (response: ServerResponse) => response.end("#cloud-config CANARY"),
      "invalid_user_data",
    ],
  ])("%s", async (_what, respond, code) => {
    answer = (_request, response) => void respond(response);
    const error: unknown = await azureSource(root, base())
      .read(call)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("CANARY");
  });

  it("none at all, until the caller has enough", async () => {
    answer = () => undefined;
    await expect(gcpSource(root, base()).read({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });
});

describe("which machine has which source", () => {
  const dmi = async (name: string, value: string) => {
    await mkdir(join(root, "sys/class/dmi/id"), { recursive: true });
    await writeFile(join(root, "sys/class/dmi/id", name), `${value}\n`);
  };
  const detected = async () => {
    const found = [];
    for (const source of userDataSources(root)) if (await source.detect(call)) found.push(source.name);
    return found.filter((name) => name !== "nocloud");
  };

  it.each([
    ["azure", "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"],
    ["aws", "sys_vendor", "Amazon EC2"],
    ["gcp", "product_name", "Google Compute Engine"],
    ["alibabacloud", "sys_vendor", "Alibaba Cloud"],
  ])("%s", async (name, field, value) => {
    await dmi(field, value);
    expect(await detected()).toEqual([name]);
  });

  it("none, on a machine of nobody", async () => {
    await dmi("sys_vendor", "QEMU");
    expect(await detected()).toEqual([]);
  });
});
