import type { Readable, Writable } from "node:stream";
import type { ProviderSources } from "@peerpods/cloud-providers";
import { dialControl, type ControlConnection } from "../control/client.ts";
import { CommandError, causeLine } from "./command-error.ts";
import type { DoctorHost } from "./doctor/host.ts";

/** What every command is given; built in `peerpods.ts`. */
export interface CommandContext {
  readonly controlSocket: string;
  /** Machine-readable output. */
  readonly json: boolean;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborts at the first SIGINT or SIGTERM, until a command takes them. */
  readonly signal: AbortSignal;
  /** From now on SIGINT and SIGTERM are the command's business and end nothing by themselves. */
  readonly takeSignals: () => void;
  /** Where providers come from, and the environment that their options are read from. */
  readonly providers: ToolProviders;
  /** This machine, for those who look at it. */
  readonly host: () => Promise<DoctorHost>;
}

/** Providers as the tool finds them. */
export interface ToolProviders extends ProviderSources {
  /** Names of the provider packages that are installed beside the program. */
  installed(): Promise<readonly string[]>;
}

/** Connects to the daemon, or says what to do when there is none. */
export async function connectDaemon(context: CommandContext): Promise<ControlConnection> {
  const { controlSocket, signal } = context;
  try {
    return await dialControl(controlSocket, signal);
  } catch (error) {
    throw new CommandError(`no daemon answers on ${controlSocket}: ${causeLine(error)}`, {
      remedy:
        "start it (cloud-api-adaptor <provider>), name its socket (--control-socket), and run this as root",
      cause: error,
    });
  }
}
