import type { Refusal } from "./errors.ts";

/** An answer of ARM that is a success. */
export interface ArmAnswer<Body> {
  readonly status: number;
  readonly body: Body;
  /** Where the state of what goes on after the answer can be asked. */
  readonly operation?: string;
  /** How long ARM asks to wait before the next look. */
  readonly retryAfterMs?: number;
}

/** What both success and refusal are read from. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  header(name: string): string | undefined;
}

/** Answers larger than this are no answers of ARM: the longest, all sizes of a region, have about five. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export function readAnswer<Body>(raw: RawAnswer): ArmAnswer<Body> {
  const operation = raw.header("azure-asyncoperation") ?? raw.header("location");
  const retryAfterMs = retryAfterOf(raw);
  return {
    status: raw.status,
    body: (parse(raw.text) ?? {}) as Body,
    ...(operation === undefined ? {} : { operation }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export function readRefusal(raw: RawAnswer): Refusal {
  const retryAfterMs = retryAfterOf(raw);
  const requestId = raw.header("x-ms-request-id");
  return {
    status: raw.status,
    ...innermost((parse(raw.text) as { error?: ArmErrorBody } | undefined)?.error, raw.status),
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** An error as ARM writes it. */
export interface ArmErrorBody {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly ArmErrorBody[];
}

/** Codes that only say that something failed; what did is in the details. */
const vague: ReadonlySet<string> = new Set([
  "DeploymentFailed",
  "ResourceDeploymentFailure",
  "BadRequest",
  "Conflict",
]);

/** Details lie in details; further down than this nobody looks. */
const MAX_DEPTH = 5;

/** Code and message, from the details where the outer ones say nothing. Whatever else an answer holds is passed over. */
export function innermost(
  error: ArmErrorBody | undefined,
  status = 0,
): { readonly code: string; readonly message: string } {
  let inner = error;
  for (let depth = 0; depth < MAX_DEPTH && vague.has(inner?.code ?? ""); depth++) {
    const [detail] = Array.isArray(inner?.details) ? (inner.details as readonly ArmErrorBody[]) : [];
    if (typeof detail?.code !== "string") break;
    inner = detail;
  }
  const { code, message } = inner ?? {};
  return {
    code: typeof code === "string" && code !== "" ? code : `HTTP ${status}`,
    message: typeof message === "string" ? message : "no reason given",
  };
}

/** Seconds, at most five minutes; ARM never sends a date. */
function retryAfterOf(raw: RawAnswer): number | undefined {
  const seconds = Number(raw.header("retry-after") ?? Number.NaN);
  return seconds >= 0 ? Math.min(seconds, 300) * 1_000 : undefined;
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
