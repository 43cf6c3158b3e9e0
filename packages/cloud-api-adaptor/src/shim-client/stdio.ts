import type { Readable, Writable } from "node:stream";
import { once } from "node:events";
import type { Client } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import { asShim, asShimItself, deadlinesMs } from "./agent-calls.ts";

/** Bytes of one read or write, as the shim asks for them. */
const CHUNK_BYTES = 32_768;

/** A process in the guest: a container's first, or one that was executed in it. */
export interface ProcessId {
  readonly containerId: string;
  readonly execId: string;
}

type Agent = Client<typeof AgentService>;

/**
 * Copies one output stream of a process until its end: one read at a time, the next after the answer. An empty answer and
 * any error are the end, since a terminal ends with an error.
 */
export async function copyOutput(
  agent: Agent,
  process: ProcessId,
  { stream, to, signal }: { stream: "stdout" | "stderr"; to: Writable; signal: AbortSignal },
): Promise<void> {
  const request = { ...process, len: CHUNK_BYTES };
  const call = asShim(undefined, signal);
  for (;;) {
    let data: Uint8Array;
    try {
      ({ data } = await (stream === "stdout"
        ? agent.readStdout(request, call)
        : agent.readStderr(request, call)));
    } catch {
      signal.throwIfAborted();
      return;
    }
    if (data.length === 0) return;
    if (!to.write(data)) await once(to, "drain", { signal });
  }
}

/** Copies input to a process until its end, then closes the process's input. Ends early when the process takes no more. */
export async function copyInput(
  agent: Agent,
  process: ProcessId,
  { from, signal }: { from: Readable; signal: AbortSignal },
): Promise<void> {
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        const data = bytes.subarray(at, at + CHUNK_BYTES);
        const { len } = await agent.writeStdin({ ...process, data }, asShimItself(deadlinesMs.agent, signal));
        if (len < data.length) return;
      }
    }
    await agent.closeStdin({ ...process }, asShim(deadlinesMs.agent, signal));
  } catch {
    // A process that has ended takes no input; its exit code tells the rest.
    signal.throwIfAborted();
  }
}
