import { DEFAULT_FORWARDER_PORT, guestPaths } from "@peerpods/podvm-contract";
import { FlagError, describeGoFlags, parseGoFlags } from "../program/go-flags.ts";
import type { GoFlag } from "../program/go-flags.ts";

const flags = {
  version: { type: "boolean", help: "print the version and exit" },
  config: { type: "string", default: guestPaths.apfConfig, help: "JSON file with the pod's configuration" },
  listen: {
    type: "string",
    default: `0.0.0.0:${DEFAULT_FORWARDER_PORT}`,
    help: "address to listen on, HOST:PORT",
  },
  "kata-agent-socket": { type: "string", default: guestPaths.agentSocket, help: "unix socket of kata-agent" },
  "pod-namespace": {
    type: "string",
    default: guestPaths.podNetns,
    help: "network namespace of the containers",
  },
  "host-interface": {
    type: "string",
    default: "",
    help: "interface of the tunnel; empty is the primary one",
  },
  "ca-cert-file": { type: "string", default: "", help: "PEM file with the CA of clients" },
  "cert-file": { type: "string", default: "", help: "PEM file with the server certificate" },
  "cert-key": { type: "string", default: "", help: "PEM file with the server key" },
  "tls-skip-verify": { type: "boolean", help: "accept any client; for tests only" },
  "disable-tls": { type: "boolean", help: "plain TCP; for tests only" },
} as const satisfies Record<string, GoFlag>;

/** The command line of the agent-protocol-forwarder. Paths are empty when not given. */
export interface ForwarderOptions {
  readonly showVersion: boolean;
  readonly configPath: string;
  readonly listen: ListenAddress;
  readonly agentSocket: string;
  /** Path of the network namespace (not the Kubernetes namespace of the same JSON name). */
  readonly podNetns: string;
  readonly hostInterface: string;
  readonly clientCaFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly tlsSkipVerify: boolean;
  readonly disableTls: boolean;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Whether help is asked for. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.some((argument) => /^--?(h|help)$/.test(argument));
}

export function forwarderHelp(program: string): string {
  return `Forwards the agent protocol from the worker node to kata-agent in a pod VM.\n\nUsage of ${program}:\n${describeGoFlags(flags)}`;
}

/**
 * Reads the command line.
 * @throws FlagError naming the flag and what it takes
 */
export function parseForwarderOptions(args: readonly string[]): ForwarderOptions {
  const values = parseGoFlags(args, flags);
  for (const name of ["config", "kata-agent-socket", "pod-namespace"] as const) {
    if (values[name] === "") throw new FlagError(`-${name} must not be empty`);
  }
  return {
    showVersion: values.version,
    configPath: values.config,
    listen: parseListenAddress(values.listen),
    agentSocket: values["kata-agent-socket"],
    podNetns: values["pod-namespace"],
    hostInterface: values["host-interface"],
    clientCaFile: values["ca-cert-file"],
    certFile: values["cert-file"],
    keyFile: values["cert-key"],
    tlsSkipVerify: values["tls-skip-verify"],
    disableTls: values["disable-tls"],
  };
}

function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[(?<ipv6>[^\]]*)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.["port"]);
  if (match === null || port > 65_535) {
    throw new FlagError(
      `invalid value ${JSON.stringify(text)} for -listen: use HOST:PORT, e.g. 0.0.0.0:15150`,
    );
  }
  return { host: match.groups?.["ipv6"] || match.groups?.["host"] || "::", port };
}
