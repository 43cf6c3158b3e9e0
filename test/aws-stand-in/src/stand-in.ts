import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { checkShape } from "./check-shape.ts";
import { Ec2Error, errorXml } from "./ec2-error.ts";
import { FaultPlan, playFault } from "@peerpods/test-harness";
import { refusalOf } from "./faults.ts";
import { startMoto, type Moto } from "./moto.ts";
import { checkPermitted } from "./permissions.ts";
import type { Query } from "./query.ts";
import { errorJson, Quotas, quotasAction } from "./quotas.ts";
import { act } from "./rules/index.ts";
import { checkSignature, type KnownKey } from "./signature.ts";
import { State } from "./state.ts";

/** A call that came in. */
export interface SeenCall {
  /** `ec2` or `servicequotas`. */
  readonly service: string;
  readonly action: string;
  readonly query: Query;
  /** When it came, on the machine's clock. */
  readonly at: number;
}

/** An EC2 on loopback. */
export interface AwsStandIn extends AsyncDisposable {
  readonly endpoint: string;
  /** Credentials by access key id. `AKIAPEERPODSTEST` with `peerpods-test-secret` is there from the start. */
  readonly keys: Map<string, KnownKey>;
  readonly faults: FaultPlan;
  /** Every call that came, in order, also those that were refused or broken. */
  readonly calls: SeenCall[];
  readonly state: State;
  readonly quotas: Quotas;
  /** What the caller's role may do, e.g. `ec2:RunInstances`; `undefined`: everything. */
  permitted: ReadonlySet<string> | undefined;
  /** moto itself, past all faults and rules: to prepare and to look. */
  readonly moto: Moto;
  /** Forgets all instances, tokens, faults and calls. */
  reset(): Promise<void>;
}

export const standInKey = { id: "AKIAPEERPODSTEST", secret: "peerpods-test-secret-7d1c" } as const;

const MAX_BODY = 256 * 1024;

/** Starts moto and the proxy in front of it. */
export async function startAwsStandIn(): Promise<AwsStandIn> {
  const moto = await startMoto();
  const state = new State(moto);
  const faults = new FaultPlan();
  const calls: SeenCall[] = [];
  const keys = new Map<string, KnownKey>([[standInKey.id, { secretAccessKey: standInKey.secret }]]);
  const world: World = { state, faults, calls, keys, quotas: new Quotas(), permitted: undefined };
  const server = createServer((request, response) => {
    serve({ request, response }, world).catch((error: unknown) => {
      // A defect of the stand-in: never to be mistaken for an answer of EC2.
      if (!response.headersSent) response.writeHead(599);
      response.end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    faults,
    calls,
    state,
    quotas: world.quotas,
    get permitted() {
      return world.permitted;
    },
    set permitted(actions) {
      world.permitted = actions;
    },
    moto,
    async reset() {
      faults.clear();
      calls.length = 0;
      state.clear();
      await moto.reset();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await moto[Symbol.asyncDispose]();
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface World {
  readonly state: State;
  readonly faults: FaultPlan;
  readonly calls: SeenCall[];
  readonly keys: ReadonlyMap<string, KnownKey>;
  readonly quotas: Quotas;
  permitted: ReadonlySet<string> | undefined;
}

async function serve({ request, response }: Exchange, world: World): Promise<void> {
  const body = await readBody(request);
  const call = parseCall(request, body);
  const { service, action, query } = call;
  world.calls.push({ service, action, query, at: Date.now() });
  const due = await playFault(world.faults, { request, action, act: () => answerOf(call, world) });
  if (!due.answer) return;
  const refusal = due.refusal === undefined ? undefined : refusalOf(due.refusal);
  const { status, text } = refusal === undefined ? await answerOf(call, world) : refused(call, refusal);
  const type = service === "ec2" ? "text/xml;charset=UTF-8" : "application/x-amz-json-1.1";
  response.writeHead(status, { "content-type": type }).end(text);
}

/** A request, with what it asks for. */
interface Call {
  readonly service: "ec2" | "servicequotas";
  readonly action: string;
  readonly query: Query;
  readonly body: string;
  readonly request: IncomingMessage;
}

function parseCall(request: IncomingMessage, body: string): Call {
  const ofQuotas = quotasAction(request.headers["x-amz-target"]);
  if (ofQuotas !== undefined) return { service: "servicequotas", action: ofQuotas, query: {}, body, request };
  const query = Object.fromEntries(new URLSearchParams(body));
  return { service: "ec2", action: query["Action"] ?? "", query, body, request };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function answerOf(call: Call, { state, keys, quotas, permitted }: World): Promise<Answer> {
  const { service, action, query, body, request } = call;
  try {
    checkSignature(request, body, keys);
    checkPermitted(service, call, permitted);
    if (service === "servicequotas") return { status: 200, text: quotas.answer(action, body) };
    checkShape(action, query);
    const { Action: _action, Version: _version, ...parameters } = query;
    return { status: 200, text: await act(state, action, parameters) };
  } catch (error) {
    if (error instanceof Ec2Error) return refused(call, error);
    throw error;
  }
}

function refused({ service }: Call, error: Ec2Error): Answer {
  return {
    status: error.status,
    text: service === "ec2" ? errorXml(error, "stand-in") : errorJson(error),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BODY) throw new Error("a request of more than 256 KiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
