import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { authFile, imageRoot, pauseBundle } from "./paths.ts";

const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/** What both programs of this package can be told. */
export interface CommonFlags {
  readonly socketPath: string;
  readonly logLevel: (typeof logLevels)[number];
  readonly imageRoot: string;
  readonly insecureRegistries: readonly string[];
  readonly authFile: string;
}

/** The command line of dev-agent, defaults filled in. */
export interface AgentFlags extends CommonFlags {
  /** Name or path of the OCI runtime; default: crun, else runc. */
  readonly runtime: string | undefined;
  readonly imageStore: string;
  readonly pauseBundle: string;
}

/** A command line that cannot be followed; the message names the flag, its value and what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const commonUsage = `\
  -image-root DIR              OCI layouts by image name, looked at before the registry (default ${imageRoot})
  -insecure-registry HOST      registry to reach without verified TLS; can be given again
  -auth-file FILE              registry credentials (default ${authFile})
  -log-level LEVEL             ${logLevels.join(", ")} (default info)
  -help                        this text

Flags may have one dash or two, and their value after a space or after "=".
`;

export const agentUsage = `Usage: dev-agent [flags]

A stand-in for the kata agent, for development and tests: runs the containers of one pod in this VM.

  -listen unix://PATH          socket to serve (default unix:///run/kata-containers/agent.sock)
  -runtime crun|runc|PATH      OCI runtime (default: crun, else runc)
  -image-store DIR             where images are unpacked (default /var/lib/dev-agent/images)
  -pause-bundle DIR            OCI bundle of the pause container (default ${pauseBundle})
${commonUsage}`;

export const imagePullUsage = `Usage: image-pull-stand-in [flags]

Stands in for the confidential data hub, as far as a kata agent asks it for images.

  -listen unix://PATH          socket to serve (default unix:///run/confidential-containers/cdh.sock)
${commonUsage}`;

const commonFlags = {
  "image-root": { type: "string", default: imageRoot },
  "insecure-registry": { type: "string", multiple: true, default: [] as string[] },
  "auth-file": { type: "string", default: authFile },
  "log-level": { type: "string", default: "info" },
  help: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

/**
 * Reads the command line of dev-agent; undefined when help is asked for.
 * @throws UsageError
 */
export function parseAgentFlags(args: readonly string[]): AgentFlags | undefined {
  const values = parseFlags(args, {
    ...commonFlags,
    listen: { type: "string", default: "unix:///run/kata-containers/agent.sock" },
    runtime: { type: "string" },
    "image-store": { type: "string", default: "/var/lib/dev-agent/images" },
    "pause-bundle": { type: "string", default: pauseBundle },
  });
  if (values.help === true) return undefined;
  return {
    ...common(values),
    runtime: values.runtime,
    imageStore: values["image-store"],
    pauseBundle: values["pause-bundle"],
  };
}

/**
 * Reads the command line of image-pull-stand-in; undefined when help is asked for.
 * @throws UsageError
 */
export function parseImagePullFlags(args: readonly string[]): CommonFlags | undefined {
  const values = parseFlags(args, {
    ...commonFlags,
    listen: { type: "string", default: "unix:///run/confidential-containers/cdh.sock" },
  });
  return values.help === true ? undefined : common(values);
}

function parseFlags<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  // One dash and a word is one flag here, not a cluster of letters.
  const doubled = args.map((arg) => (/^-[a-z]/.test(arg) ? `-${arg}` : arg));
  try {
    return parseArgs({ args: doubled, strict: true, allowPositionals: false, options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function common(values: {
  listen: string;
  "log-level": string;
  "image-root": string;
  "insecure-registry": string[];
  "auth-file": string;
}): CommonFlags {
  return {
    socketPath: socketPath(values.listen),
    logLevel: logLevel(values["log-level"]),
    imageRoot: values["image-root"],
    insecureRegistries: values["insecure-registry"],
    authFile: values["auth-file"],
  };
}

const socketScheme = "unix://";
/** Bytes of a unix socket's path in sockaddr_un, without the final zero. */
const MAX_SOCKET_PATH = 107;

function socketPath(listen: string): string {
  const path = listen.startsWith(socketScheme) ? listen.slice(socketScheme.length) : "";
  if (!path.startsWith("/") || Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw new UsageError(
      `-listen ${JSON.stringify(listen)}: must be unix:// and an absolute path of at most ${MAX_SOCKET_PATH} bytes`,
    );
  return path;
}

function logLevel(text: string): CommonFlags["logLevel"] {
  const level = logLevels.find((candidate) => candidate === text);
  if (level === undefined)
    throw new UsageError(`-log-level ${JSON.stringify(text)}: must be one of ${logLevels.join(", ")}`);
  return level;
}
