import { parseArgs } from "node:util";
import { authFile, pauseBundle } from "./paths.ts";

const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/** What the command line says, defaults filled in. */
export interface CommandLine {
  readonly socketPath: string;
  /** Name or path of the OCI runtime; default: crun, else runc. */
  readonly runtime: string | undefined;
  readonly logLevel: (typeof logLevels)[number];
  readonly imageRoot: string;
  readonly imageStore: string;
  readonly insecureRegistries: readonly string[];
  readonly authFile: string;
  readonly pauseBundle: string;
}

/** A command line that cannot be followed; the message names the flag, its value and what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = `Usage: dev-agent [flags]

A stand-in for the kata agent, for development and tests: runs the containers of one pod in this VM.

  -listen unix://PATH          socket to serve (default unix:///run/kata-containers/agent.sock)
  -runtime crun|runc|PATH      OCI runtime (default: crun, else runc)
  -image-root DIR              OCI layouts by image name, looked at before the registry (default /run/peerpod-images)
  -image-store DIR             where images are unpacked (default /var/lib/dev-agent/images)
  -insecure-registry HOST      registry to reach without verified TLS; can be given again
  -auth-file FILE              registry credentials (default ${authFile})
  -pause-bundle DIR            OCI bundle of the pause container (default ${pauseBundle})
  -log-level LEVEL             ${logLevels.join(", ")} (default info)
  -help                        this text

Flags may have one dash or two, and their value after a space or after "=".
`;

const socketScheme = "unix://";
/** Bytes of a unix socket's path in sockaddr_un, without the final zero. */
const MAX_SOCKET_PATH = 107;

/**
 * Reads the command line; undefined when help is asked for.
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[]): CommandLine | undefined {
  const values = parseFlags(args);
  if (values.help === true) return undefined;
  return {
    socketPath: socketPath(values.listen),
    runtime: values.runtime,
    logLevel: logLevel(values["log-level"]),
    imageRoot: values["image-root"],
    imageStore: values["image-store"],
    insecureRegistries: values["insecure-registry"],
    authFile: values["auth-file"],
    pauseBundle: values["pause-bundle"],
  };
}

function parseFlags(args: readonly string[]) {
  // One dash and a word is one flag here, not a cluster of letters.
  const doubled = args.map((arg) => (/^-[a-z]/.test(arg) ? `-${arg}` : arg));
  try {
    return parseArgs({
      args: doubled,
      strict: true,
      allowPositionals: false,
      options: {
        listen: { type: "string", default: "unix:///run/kata-containers/agent.sock" },
        runtime: { type: "string" },
        "image-root": { type: "string", default: "/run/peerpod-images" },
        "image-store": { type: "string", default: "/var/lib/dev-agent/images" },
        "insecure-registry": { type: "string", multiple: true, default: [] },
        "auth-file": { type: "string", default: authFile },
        "pause-bundle": { type: "string", default: pauseBundle },
        "log-level": { type: "string", default: "info" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function socketPath(listen: string): string {
  const path = listen.startsWith(socketScheme) ? listen.slice(socketScheme.length) : "";
  if (!path.startsWith("/") || Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw new UsageError(
      `-listen ${JSON.stringify(listen)}: must be unix:// and an absolute path of at most ${MAX_SOCKET_PATH} bytes`,
    );
  return path;
}

function logLevel(text: string): CommandLine["logLevel"] {
  const level = logLevels.find((candidate) => candidate === text);
  if (level === undefined)
    throw new UsageError(`-log-level ${JSON.stringify(text)}: must be one of ${logLevels.join(", ")}`);
  return level;
}
