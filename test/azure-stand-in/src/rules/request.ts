import type { Account } from "../account.ts";
import type { Json } from "../resource.ts";
import type { ResourcePath } from "../resource-id.ts";

/** A request that has passed all checks of form and permission. */
export interface Request {
  readonly account: Account;
  readonly method: string;
  /** As it came, without the query. */
  readonly id: string;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Json;
  /** Where this server is, for the addresses in its answers. */
  readonly origin: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer that begins a long-running operation. Inferred: which of both headers comes, and how long to wait. */
export function accepted(
  { account, origin, path }: Request,
  {
    status,
    body,
    operation,
    retryAfter = account.retryAfterSeconds,
  }: { status: number; body?: unknown; operation: string; retryAfter?: number },
): Answer {
  const namespace = path.type.split("/")[0] ?? "";
  const url = `${origin}/subscriptions/${account.subscription}/providers/${namespace}/locations/${account.location}/operations/${operation}?api-version=2025-04-01`;
  return {
    status,
    ...(body === undefined ? {} : { body }),
    headers: {
      "azure-asyncoperation": url,
      "retry-after": String(retryAfter),
      ...(status === 202 ? { location: url } : {}),
    },
  };
}
