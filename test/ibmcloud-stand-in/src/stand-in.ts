import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { FaultPlan, playFault } from "@peerpods/test-harness";
import { account, type Account } from "./account.ts";
import { ApiError, refusalOf } from "./api-error.ts";
import { checkToken, issueToken, type Identities } from "./iam.ts";
import { State } from "./state.ts";
import { attachTags, clusterGroups, listTags } from "./tagging.ts";
import { vpcRoutes, type Answer } from "./vpc/routes.ts";

/** A call that came in, but for those that ask IAM for a token. */
export interface SeenCall {
  /** The API's name of it, e.g. `create_instance`. */
  readonly action: string;
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** An IBM Cloud on loopback: IAM, VPC, global tagging, and what the Kubernetes Service tells of clusters. */
export interface IbmcloudStandIn extends AsyncDisposable {
  readonly origin: string;
  readonly vpcUrl: string;
  readonly account: Account;
  readonly identities: Identities;
  /** Operations that the identity may not call, by the API's name. */
  readonly forbidden: Set<string>;
  readonly faults: FaultPlan;
  /** Every call that came, in order, also those that were refused or broken. */
  readonly calls: SeenCall[];
  readonly state: State;
  /** Forgets all instances, faults and calls. */
  reset(): void;
}

export const standInApiKey = "stand-in-api-key-7d1c5e0f";
/** A trusted profile, and the token of the service account that it trusts. */
export const standInProfile = { id: "Profile-5a7e5a7e", crToken: "stand-in-service-account-token" } as const;

const MAX_BODY = 512 * 1024;

/** Starts the server. Nothing of it is outside this process. */
export async function startIbmcloudStandIn(): Promise<IbmcloudStandIn> {
  const world: World = {
    state: new State(),
    faults: new FaultPlan(),
    calls: [],
    forbidden: new Set(),
    identities: {
      apiKeys: new Set([standInApiKey]),
      profiles: new Map([[standInProfile.id, standInProfile.crToken]]),
    },
  };
  const server = createServer((request, response) => {
    serve({ request, response }, world).catch((error: unknown) => {
      // A defect of the stand-in: never to be mistaken for an answer of IBM Cloud.
      if (!response.headersSent) response.writeHead(599);
      response.end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...world,
    origin,
    vpcUrl: `${origin}/v1`,
    account,
    reset() {
      world.faults.clear();
      world.calls.length = 0;
      world.forbidden.clear();
      world.state.clear();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close").catch(() => undefined);
    },
  };
}

interface World {
  readonly state: State;
  readonly faults: FaultPlan;
  readonly calls: SeenCall[];
  readonly forbidden: Set<string>;
  readonly identities: Identities;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve({ request, response }: Exchange, world: World): Promise<void> {
  const body = await text(request);
  if (body.length > MAX_BODY) throw new Error("a request of more than 512 KiB");
  const url = new URL(request.url ?? "/", "http://stand-in");
  if (url.pathname === "/identity/token") {
    const answer = attempt(() => ({ status: 200, body: issueToken(body, world.identities) }));
    send(response, answer);
    return;
  }
  const operation = operationOf(request.method ?? "", url);
  const parsed: unknown = body === "" ? undefined : JSON.parse(body);
  const { action, id } = operation;
  world.calls.push({ action, id, query: Object.fromEntries(url.searchParams), body: parsed });
  const act = () =>
    attempt(() => {
      checkToken(request.headers.authorization);
      if (world.forbidden.has(action))
        throw new ApiError(403, "not_authorized", "the provided token is not authorized");
      return operation.handle(world.state, { id, query: url.searchParams, body: parsed });
    });
  const due = await playFault(world.faults, { request, action, act });
  if (!due.answer) return;
  const refusal = due.refusal === undefined ? undefined : refusalOf(due.refusal);
  send(response, refusal === undefined ? act() : { status: refusal.status, body: refusal.body });
}

interface Operation {
  readonly action: string;
  readonly id: string;
  readonly handle: (typeof vpcRoutes)[number]["handle"];
}

function operationOf(method: string, { pathname, searchParams }: URL): Operation {
  const path = pathname.replace(/^\/v1/, "");
  if (path !== pathname) {
    for (const { name, path: form, handle, method: wanted } of vpcRoutes) {
      const match = wanted === method ? form.exec(path) : null;
      if (match === null) continue;
      const checked: typeof handle = (state, request) => {
        if (
          searchParams.get("generation") !== "2" ||
          !/^\d{4}-\d\d-\d\d$/.test(searchParams.get("version") ?? "")
        )
          throw new ApiError(400, "invalid_version", "version and generation are missing");
        return handle(state, request);
      };
      return { action: name, id: decodeURIComponent(match[1] ?? ""), handle: checked };
    }
  }
  const others: Readonly<Record<string, Operation>> = {
    "POST /v3/tags/attach": {
      action: "attach_tag",
      id: "",
      handle: (state, { query, body }) => ({ status: 200, body: attachTags(state, query, body) }),
    },
    "GET /v3/tags": {
      action: "list_tags",
      id: "",
      handle: (state, { query }) => ({ status: 200, body: listTags(state, query) }),
    },
    "GET /network/v2/security-group/getSecurityGroups": {
      action: "get_security_groups",
      id: "",
      handle: (_state, { query }) => ({
        status: 200,
        body: clusterGroups(query, { cluster: account.clusterId, group: account.clusterSecurityGroup }),
      }),
    },
  };
  return (
    others[`${method} ${pathname}`] ?? {
      action: `${method} ${pathname}`,
      id: "",
      handle: () => {
        throw new ApiError(404, "path_not_found", `there is no ${method} ${pathname}`);
      },
    }
  );
}

function attempt(act: () => Answer): Answer {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, body: error.body };
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
