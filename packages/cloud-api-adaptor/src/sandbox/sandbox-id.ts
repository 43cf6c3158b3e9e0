import { SandboxError } from "./errors.ts";

/** Greatest length of a unix socket path, without the final NUL (`sun_path`). */
export const MAX_SOCKET_PATH_BYTES = 107;

/** File name of the agent socket in a pod's directory. */
export const AGENT_SOCKET_NAME = "agent.ttrpc";

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/**
 * Checks a sandbox id before it becomes the name of a directory, a file and a tag.
 *
 * Container engines send 64 hexadecimal digits; any word of letters, digits, `_`, `.` and `-` that begins with a letter
 * or digit is accepted, as long as `<podsDir>/<id>/agent.ttrpc` fits into a socket address. So no id can leave its
 * directory.
 * @throws SandboxError `invalid_request`
 */
export function checkSandboxId(sandboxId: string, podsDir: string): void {
  if (sandboxId === "") throw invalid("empty sandbox id");
  if (!idPattern.test(sandboxId) || sandboxId.includes("..")) {
    throw invalid(
      `sandbox id ${shown(sandboxId)} is not allowed: use letters, digits, "_", "." and "-", beginning with a letter ` +
        `or digit and without ".."`,
    );
  }
  const longest = maxSandboxIdLength(podsDir);
  if (sandboxId.length > longest) {
    throw invalid(
      `sandbox id ${shown(sandboxId)} has ${sandboxId.length} characters: at most ${longest} fit into the path of ` +
        `the agent socket below ${podsDir}`,
    );
  }
}

/** How long a sandbox id may be so that its agent socket can be bound. */
export function maxSandboxIdLength(podsDir: string): number {
  return MAX_SOCKET_PATH_BYTES - Buffer.byteLength(`${podsDir}//${AGENT_SOCKET_NAME}`);
}

/** Quoted, and cut: what a stranger sends must not fill the log. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function invalid(message: string): SandboxError {
  return new SandboxError("invalid_request", message);
}
