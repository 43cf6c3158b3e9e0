/** Why the API server did not do what it was asked. Decide by these words, never by message text. */
export type KubernetesErrorCode =
  /** The object does not exist. */
  | "not_found"
  /** The API server does not know the resource: its CRD is not installed. */
  | "missing_resource"
  | "already_exists"
  /** A precondition (resource version, UID, JSON patch test) does not hold: read again. */
  | "conflict"
  /** The resource version is too old: list again. */
  | "gone"
  /** The object does not pass validation. */
  | "invalid"
  | "unauthorized"
  /** RBAC does not allow it; the message holds the rule that is missing. */
  | "forbidden"
  | "throttled"
  /** The API server, or the way to it, failed. */
  | "unavailable"
  | "timeout"
  | "aborted"
  /** An answer that no one foresaw. */
  | "internal";

const retryableCodes: ReadonlySet<KubernetesErrorCode> = new Set([
  "conflict",
  "throttled",
  "unavailable",
  "timeout",
]);

/** The one error of requests to the API server. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly code: KubernetesErrorCode;
  /** Whether the same request may succeed when it is repeated. */
  readonly retryable: boolean;
  /** What the server asks to wait before the next request. */
  readonly retryAfterMs?: number;

  constructor(
    code: KubernetesErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether `thrown` is a {@link KubernetesError}, of one of `codes` when there are any. */
export function isKubernetesError(
  thrown: unknown,
  ...codes: readonly KubernetesErrorCode[]
): thrown is KubernetesError {
  return thrown instanceof KubernetesError && (codes.length === 0 || codes.includes(thrown.code));
}

/** What was asked, in the words of an RBAC rule. */
export interface RequestScope {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `peerpods/status`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** The error for an answer that is not 2xx. `body` is the answer's text, usually a `Status`. */
export function errorFromAnswer(
  scope: RequestScope,
  {
    status,
    body,
    retryAfter,
  }: { readonly status: number; readonly body: string; readonly retryAfter?: string },
): KubernetesError {
  const { message, reason, names, cause } = readStatus(body);
  const what = describeScope(scope);
  const seconds = Number(retryAfter);
  const options = Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {};
  const code = codeOf(status, { reason, named: names });
  if (code === "missing_resource")
    return new KubernetesError(
      code,
      `${what}: the API server does not know ${scope.resource}.${scope.group}; install its CRD (deploy/crds)`,
    );
  if (code === "forbidden" && cause === "NamespaceTerminating")
    return new KubernetesError(code, `${what}: the namespace is being deleted`);
  if (code === "forbidden")
    return new KubernetesError(
      code,
      `${what}: ${message}; the RBAC rule that is missing: ${missingRule(scope)}`,
    );
  return new KubernetesError(code, `${what}: ${message === "" ? `HTTP ${status}` : message}`, options);
}

/** The error for a request that got no answer. */
export function errorFromFailure(scope: RequestScope, thrown: unknown): KubernetesError {
  if (thrown instanceof KubernetesError) return thrown;
  const what = describeScope(scope);
  const name = thrown instanceof Error ? thrown.name : "";
  if (name === "TimeoutError")
    return new KubernetesError("timeout", `${what}: no answer in time`, { cause: thrown });
  if (name === "AbortError") return new KubernetesError("aborted", `${what}: aborted`, { cause: thrown });
  return new KubernetesError("unavailable", `${what}: ${reasonOf(thrown)}`, { cause: thrown });
}

function codeOf(
  status: number,
  { reason, named }: { readonly reason: string; readonly named: boolean },
): KubernetesErrorCode {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return named ? "not_found" : "missing_resource";
    case 409:
      return reason === "AlreadyExists" ? "already_exists" : "conflict";
    case 410:
      return "gone";
    case 400:
    case 413:
    case 415:
    case 422:
      return "invalid";
    case 429:
      return "throttled";
    default:
      return status >= 500 ? "unavailable" : "internal";
  }
}

function readStatus(body: string): { message: string; reason: string; names: boolean; cause: string } {
  try {
    const { message, reason, details } = JSON.parse(body) as {
      message?: unknown;
      reason?: unknown;
      details?: { name?: unknown; causes?: readonly { reason?: unknown }[] };
    };
    const cause = details?.causes?.[0]?.reason;
    return {
      message: typeof message === "string" ? message.slice(0, 1_000) : "",
      reason: typeof reason === "string" ? reason : "",
      names: typeof details?.name === "string" && details.name !== "",
      cause: typeof cause === "string" ? cause : "",
    };
  } catch {
    return { message: body.trim().slice(0, 200), reason: "", names: false, cause: "" };
  }
}

function describeScope({ verb, resource, namespace, name }: RequestScope): string {
  const object = name === undefined ? resource : `${resource} ${name}`;
  return `cannot ${verb} ${object}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

function missingRule({ verb, group, resource, namespace }: RequestScope): string {
  const kind = namespace === undefined ? "ClusterRole" : `Role in ${namespace}, or ClusterRole`;
  return `${kind} with apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]`;
}

/** What was tried with several addresses has no message of its own. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(reasonOf).join(", ");
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The error that a watch reports inside its stream: a `Status`. */
export function errorFromStatus(scope: RequestScope, status: unknown): KubernetesError {
  const code = (status as { code?: unknown }).code;
  return errorFromAnswer(scope, {
    status: typeof code === "number" ? code : 500,
    body: JSON.stringify(status),
  });
}
