import { createClient, type Client } from "@connectrpc/connect";
import { dialTtrpc } from "@peerpods/ttrpc";
import { Control } from "../gen/peerpods/control/v1/control_pb.ts";

/** A connection to a running daemon's control socket. */
export interface ControlConnection extends AsyncDisposable {
  readonly control: Client<typeof Control>;
}

/**
 * Connects to the daemon.
 * @throws ConnectError UNAVAILABLE when no daemon listens on `path`, or the caller may not open it.
 */
export async function dialControl(path: string, signal: AbortSignal): Promise<ControlConnection> {
  const connection = await dialTtrpc({ path }, { signal });
  return {
    control: createClient(Control, connection.transport),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
