import { ConnectError, type Client, type Code } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";

type Agent = Client<typeof AgentService>;
type Target = { containerId: string; execId: string };

/** Reads a stream as the shim does: 32 KiB at a time until the end, which at a terminal is an error. */
export async function readAll(
  agent: Agent,
  stream: "readStdout" | "readStderr",
  target: Target,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { data } = await agent[stream]({ ...target, len: 32768 }).catch((error: unknown) => {
      if (ConnectError.from(error).rawMessage === "Input/output error (os error 5)")
        return { data: new Uint8Array() };
      throw error;
    });
    if (data.length === 0) return Buffer.concat(pieces).toString();
    pieces.push(data);
  }
}

/** Reads until the text has been seen. */
export async function readUntil(agent: Agent, target: Target, text: string): Promise<string> {
  let seen = "";
  while (!seen.includes(text)) {
    const { data } = await agent.readStdout({ ...target, len: 32768 });
    if (data.length === 0) throw new Error(`the output ended before ${JSON.stringify(text)}: ${seen}`);
    seen += Buffer.from(data).toString();
  }
  return seen;
}

/** Reads both streams to their ends and then waits, as the shim does for a workload. */
export async function finish(
  agent: Agent,
  target: Target,
): Promise<{ stdout: string; stderr: string; status: number }> {
  const [stdout, stderr] = await Promise.all([
    readAll(agent, "readStdout", target),
    readAll(agent, "readStderr", target),
  ]);
  const { status } = await agent.waitProcess(target);
  return { stdout, stderr, status };
}

/** The code and the bare message that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<{ code: Code; message: string }> {
  const error = await call.then(
    () => {
      throw new Error("the call succeeded");
    },
    (reason: unknown) => ConnectError.from(reason),
  );
  return { code: error.code, message: error.rawMessage };
}
