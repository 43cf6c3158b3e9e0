import type { Answer, Request } from "./request.ts";

export function getSubscription({ account, id }: Request): Answer {
  return { status: 200, body: { id, subscriptionId: account.subscription, state: "Enabled" } };
}

export function getGroup({ account, id }: Request): Answer {
  return { status: 200, body: { id, name: account.group, location: account.location } };
}

/** What the caller may do at a scope. */
export function getPermissions({ account }: Request): Answer {
  return { status: 200, body: { value: [{ actions: account.granted, notActions: [] }] } };
}

export function getOperation({ account, path }: Request): Answer {
  const body = account.operations.describe(path.names.at(-1) ?? "");
  if (body === undefined)
    return { status: 404, body: { error: { code: "NotFound", message: "no such operation" } } };
  return {
    status: 200,
    body,
    headers: body["status"] === "InProgress" ? { "retry-after": String(account.retryAfterSeconds) } : {},
  };
}
