import { isIP } from "node:net";
import { isAbsolute, normalize } from "node:path";
import type { RelayOpenRequest } from "../sandbox/relay-port.ts";
import { RelayError } from "./errors.ts";

/** Sandbox ids are names, never paths. */
const SANDBOX_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** What fits into `sockaddr_un` with its final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const MAX_DIAL_TIMEOUT_MS = 24 * 60 * 60 * 1000;

/** @throws RelayError `invalid_request` naming the field and what it must be. */
export function checkOpenRequest(request: RelayOpenRequest): void {
  const { sandboxId, socketPath, target, tls, dialTimeoutMs } = request;
  if (!SANDBOX_ID.test(sandboxId)) throw invalid("sandboxId", "1 to 128 letters, digits, `_`, `.` or `-`");
  if (!isAbsolute(socketPath) || normalize(socketPath) !== socketPath || socketPath.includes("\0")) {
    throw invalid("socketPath", "an absolute path without `..`");
  }
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
    throw invalid("socketPath", `at most ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  if (isIP(target.host) === 0) throw invalid("target.host", "an IP address");
  if (!isIntegerIn(target.port, 1, 65_535)) throw invalid("target.port", "1 to 65535");
  if (!isIntegerIn(dialTimeoutMs, 1, MAX_DIAL_TIMEOUT_MS)) {
    throw invalid("dialTimeoutMs", `1 to ${MAX_DIAL_TIMEOUT_MS}`);
  }
  if (tls === undefined) return;
  // An empty one would be left out by OpenSSL without a word: any authority, no client certificate.
  for (const field of ["ca", "cert", "key", "serverName"] as const) {
    if (tls[field] === "") throw invalid(`tls.${field}`, "not empty");
  }
}

/** Whether two requests ask for the same thing, so that the second may join the first. */
export function isSameSandbox(a: RelayOpenRequest, b: RelayOpenRequest): boolean {
  return (
    a.socketPath === b.socketPath &&
    a.target.host === b.target.host &&
    a.target.port === b.target.port &&
    a.tls?.serverName === b.tls?.serverName
  );
}

/** @throws RelayError `invalid_request` */
export function checkSandboxId(sandboxId: string): void {
  if (sandboxId === "") throw invalid("sandboxId", "not empty");
}

function isIntegerIn(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function invalid(field: string, expected: string): RelayError {
  return new RelayError("invalid_request", `${field} must be ${expected}`);
}
