import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { playFault } from "@peerpods/test-harness";
import { createLoopbackCertificate } from "@peerpods/test-harness/loopback-certificate";
import { Account, type Delays } from "./account.ts";
import { ArmError, errorBody } from "./arm-error.ts";
import { checkBody, describedVersion } from "./check-body.ts";
import { refusalOf } from "./faults.ts";
import { Login } from "./login.ts";
import { checkPermission } from "./permissions.ts";
import type { Json } from "./resource.ts";
import { routeOf } from "./route.ts";
import type { Answer } from "./rules/request.ts";
import { catalog, standInIds } from "./world.ts";

/** A call that came in. */
export interface SeenCall {
  /** Method and type of the resource, e.g. `PUT microsoft.compute/virtualmachines`. */
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly body: Json;
  /** The action that a role must have for it; empty for the state of an operation. */
  readonly action: string;
}

/** An Azure Resource Manager on loopback, with the sign-in in front of it. */
export interface AzureStandIn extends AsyncDisposable {
  readonly endpoint: string;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  /** The same as a file, in a directory of the stand-in's own, which goes with it. */
  readonly caFile: string;
  readonly login: Login;
  readonly account: Account;
  /** Every call of ARM that came, in order, also those that were refused or broken. Sign-ins are not among them. */
  readonly calls: SeenCall[];
  /** What the console of every machine says. */
  console: string;
}

export interface AzureStandInOptions {
  /** Default: the machine's time. */
  readonly now?: () => number;
  readonly delays?: Partial<Delays>;
}

/** Nothing takes its time; tests set what they are about. */
const noDelays: Delays = {
  createMachine: 0,
  allocate: 0,
  deleteMachine: 0,
  interface: 0,
  deleteInterface: 0,
  deleteDisk: 0,
  address: 0,
  deleteAddress: 0,
  cascade: 0,
};

const MAX_BODY = 1024 * 1024;

export async function startAzureStandIn({
  now = Date.now,
  delays = {},
}: AzureStandInOptions = {}): Promise<AzureStandIn> {
  const certificate = await createLoopbackCertificate();
  const directory = await mkdtemp(join(tmpdir(), "peerpods-azure-"));
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, certificate.cert);
  const account = new Account({
    subscription: standInIds.subscription,
    group: standInIds.group,
    location: standInIds.location,
    catalog,
    delays: { ...noDelays, ...delays },
    now,
  });
  const login = new Login({
    tenant: standInIds.tenant,
    clientId: standInIds.client,
    clientSecret: standInIds.secret,
    federatedToken: standInIds.federatedToken,
  });
  const server = createServer(certificate);
  // A connection that was idle for long on a busy machine must not be closed under the request that comes at last.
  server.keepAliveTimeout = 3_600_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn: AzureStandIn = {
    endpoint,
    ca: certificate.cert,
    caFile,
    login,
    account,
    calls: [],
    console: "Booting the pod VM\nready\n",
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };
  server.on("request", (request, response) => {
    serve({ request, response }, standIn).catch((error: unknown) => {
      // A defect of the stand-in: never to be mistaken for an answer of ARM.
      if (!response.headersSent) response.writeHead(599);
      response.end(String(error));
    });
  });
  return standIn;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve(exchange: Exchange, standIn: AzureStandIn): Promise<void> {
  const { request, response } = exchange;
  const text = await readBody(request);
  const url = new URL(request.url ?? "", standIn.endpoint);
  const [, tenant] = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(url.pathname) ?? [];
  if (tenant !== undefined) {
    const { status, body } = standIn.login.answer(tenant, new URLSearchParams(text));
    return send(response, { status, body });
  }
  const [, directory] = /^\/([^/]+)\/v2\.0\/\.well-known\/openid-configuration$/.exec(url.pathname) ?? [];
  if (directory !== undefined)
    return send(response, { status: 200, body: standIn.login.discover(standIn.endpoint, directory) });
  if (url.pathname.startsWith("/blobs/")) {
    if (url.searchParams.get("sig") !== "secret-of-the-blob") return send(response, { status: 403 });
    response.writeHead(200, { "content-type": "text/plain" }).end(standIn.console);
    return;
  }
  await serveArm(exchange, { standIn, url, text });
}

interface ArmCall {
  readonly standIn: AzureStandIn;
  readonly url: URL;
  readonly text: string;
}

async function serveArm({ request, response }: Exchange, call: ArmCall): Promise<void> {
  const { standIn, url, text } = call;
  const body = parse(text);
  const seen = { name: "", action: "", method: request.method ?? "", url: url.pathname + url.search, body };
  try {
    const { name, rule } = routeOf(standIn.account, seen.method, url);
    Object.assign(seen, { name, action: rule.action });
  } catch {
    // Said to the caller below; a fault hits also what is wrong.
  }
  standIn.calls.push(seen);
  const act = () => answerOf(request, call, body);
  const due = await playFault(standIn.account.faults, { request, action: seen.name, act });
  if (!due.answer) return;
  const refusal = due.refusal === undefined ? undefined : refusalOf(due.refusal);
  send(response, refusal === undefined ? act() : refusedBy(refusal));
}

function answerOf(request: IncomingMessage, { standIn, url, text }: ArmCall, body: Json): Answer {
  const { account, login, endpoint } = standIn;
  try {
    account.operations.settle();
    if (!login.knows(request.headers.authorization))
      throw new ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.").with({
        "www-authenticate": 'Bearer error="invalid_token"',
      });
    const method = request.method ?? "";
    const { rule, path } = routeOf(account, method, url);
    if (rule.action !== "") checkPermission(account, rule.action, url.pathname);
    if (method === "PUT") checkPut(request, path.type, body);
    if (method !== "PUT" && text !== "")
      throw new ArmError(400, "InvalidRequestContent", "A body was not expected.");
    const answer = rule.act({
      account,
      method,
      id: decodeURI(url.pathname),
      path,
      query: url.searchParams,
      headers: request.headers,
      body,
      origin: endpoint,
    });
    account.operations.settle();
    return answer;
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    return refusedBy(error);
  }
}

function checkPut(request: IncomingMessage, type: string, body: Json): void {
  if (!(request.headers["content-type"] ?? "").startsWith("application/json"))
    throw new ArmError(
      415,
      "UnsupportedMediaType",
      "The content media type is not supported; only application/json is.",
    );
  if (describedVersion(type) === undefined) throw new Error(`no description of ${type}`);
  checkBody(type, body);
}

function refusedBy(error: ArmError): Answer {
  return { status: error.status, body: errorBody(error), headers: error.headers };
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, {
    "x-ms-request-id": crypto.randomUUID(),
    "x-ms-ratelimit-remaining-subscription-reads": "11999",
    ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
    ...headers,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function parse(text: string): Json {
  if (text === "") return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BODY) throw new Error("a request of more than 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
