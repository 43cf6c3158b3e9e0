import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createCallPolicy, silentLogger, systemClock, type Clock } from "@peerpods/cloud-providers";
import { expect, it, vi } from "vitest";
import type { AwsConfig } from "../config.ts";
import { requestHandler } from "../connection.ts";
import type { Ec2InstanceType } from "../instance-types.ts";
import type { Connected } from "../parts.ts";
import { verifyQuota } from "./quota.ts";

const type = (name: string, vcpus: number): Ec2InstanceType => ({
  name,
  vcpus,
  memoryMiB: 8192,
  gpus: 0,
  confidential: true,
});
const types = [type("m6a.large", 2), type("m6a.xlarge", 4)];

interface Case {
  /** The quota's own time is over as soon as the request has come. */
  readonly hurried?: boolean;
  readonly answer: (response: ServerResponse, target: string) => void;
  readonly instances?: readonly object[];
  readonly connection?: Partial<AwsConfig["connection"]>;
}

const value = (vcpus: number) => (response: ServerResponse) =>
  void response.end(JSON.stringify({ Quota: { QuotaCode: "L-1216C47A", Value: vcpus } }));
const refusal = (code: string) => (response: ServerResponse) =>
  void response.writeHead(400).end(JSON.stringify({ __type: code, Message: "no" }));

async function findings({ answer, instances = [], connection = {}, hurried = false }: Case) {
  let asked = 0;
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const clock: Clock = hurried ? { ...systemClock, sleep: () => arrived } : systemClock;
  await using stack = new AsyncDisposableStack();
  const server = createServer((request, response) => {
    asked += 1;
    arrive();
    response.setHeader("content-type", "application/x-amz-json-1.1");
    request.resume().on("end", () => answer(response, String(request.headers["x-amz-target"])));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    launchTemplate: "",
    instanceType: "m6a.large",
    spot: { always: false, maxPrice: "" },
    connection: {
      endpoint: "",
      quotasEndpoint: endpoint,
      httpProxy: "",
      noProxy: "",
      caBundle: "",
      ...connection,
    },
  } as unknown as AwsConfig;
  const connected = {
    access: {
      region: "us-east-1",
      credentials: { accessKeyId: "AKIATEST", secretAccessKey: "secret" },
      requestHandler: await requestHandler(config.connection),
      policy: createCallPolicy({ scope: "test", retry: { maxTries: 1, baseMs: 1, maxMs: 1 } }),
      secrets: [],
    },
    ec2: { call: vi.fn().mockResolvedValue({ Reservations: [{ Instances: instances }] }) },
  } as unknown as Connected;
  const call = { signal: AbortSignal.timeout(30_000), logger: silentLogger };
  return { found: await verifyQuota({ config, clock }, { connected, types }, call), asked };
}

const running = (InstanceType: string, more: object = {}) => ({ InstanceType, ...more });

it.each<[string, Case, readonly object[]]>([
  ["has room", { answer: value(10) }, []],
  ["has no room for any", { answer: value(1) }, [{ severity: "error", subject: "quota" }]],
  [
    "is used up by what runs",
    { answer: value(8), instances: [running("m6a.xlarge"), running("m6a.xlarge")] },
    [{ severity: "warning", subject: "quota" }],
  ],
  [
    "is used up by machines of types that are not ours",
    {
      answer: value(8),
      instances: [running("c5.2xlarge", { CpuOptions: { CoreCount: 4, ThreadsPerCore: 2 } })],
    },
    [{ severity: "warning", subject: "quota" }],
  ],
  [
    "is not used by machines that count elsewhere",
    {
      answer: value(4),
      instances: [
        running("m6a.xlarge", { InstanceLifecycle: "spot" }),
        running("p5.48xlarge", { CpuOptions: { CoreCount: 96, ThreadsPerCore: 2 } }),
      ],
    },
    [],
  ],
  ["may not be read", { answer: refusal("AccessDeniedException") }, [{ severity: "info", subject: "quota" }]],
  [
    "does not exist there",
    { answer: refusal("NoSuchResourceException") },
    [{ severity: "info", subject: "quota" }],
  ],
  [
    "is never told, which does not hold the rest up",
    { answer: () => undefined, hurried: true },
    [{ severity: "info", subject: "quota" }],
  ],
])("a quota that %s", async (_what, given, expected) => {
  const { found, asked } = await findings(given);
  expect(found).toEqual(expected.map((finding) => expect.objectContaining(finding) as unknown));
  for (const { message, remedy } of found) expect([message, remedy]).not.toContain("");
  expect(asked).toBe(1);
});

it("is not asked for where only the endpoint of EC2 is moved", async () => {
  const connection = { endpoint: "http://127.0.0.1:1", quotasEndpoint: "" };
  expect(await findings({ answer: value(0), connection })).toEqual({ found: [], asked: 0 });
});
