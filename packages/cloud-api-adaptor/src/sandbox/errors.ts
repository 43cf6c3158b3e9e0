/** Why the lifecycle refused or could not do something. */
export type SandboxErrorCode =
  /** The request itself is wrong: sandbox id, annotation, namespace. */
  | "invalid_request"
  /** A sandbox of that id is known already. */
  | "already_exists"
  /** No sandbox of that id. */
  | "not_found"
  /** The node carries as many pods as it may. */
  | "limit_reached"
  /** The sandbox is not in a phase that allows this; it is being removed, mostly. */
  | "conflict"
  /** The pod's network namespace does not offer what a peer pod needs. */
  | "network"
  /** The pod VM could not be started; everything made so far is being undone. */
  | "start_failed"
  /** Nobody waits for the result any more, or the sandbox was stopped meanwhile. */
  | "aborted"
  /** The journal cannot be written or read. */
  | "journal";

/** The error type of the sandbox lifecycle. The message is for people, names the sandbox and holds no secret. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  readonly code: SandboxErrorCode;

  constructor(code: SandboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One line for any thrown value, its causes included, for messages and journal entries. */
export function explain(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  while (current !== undefined && current !== null && parts.length < 5) {
    const text = current instanceof Error ? current.message || current.name : JSON.stringify(current);
    if (text !== undefined && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ").replaceAll(/\s*[\r\n]+\s*/g, " ") || "unknown error";
}

/** The code of what went wrong, below the lifecycle's own wrapping; `undefined` when nothing in it has one. */
export function failureCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return error instanceof SandboxError ? (failureCode(error.cause) ?? own) : own;
}
