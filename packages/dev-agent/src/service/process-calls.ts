import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AgentService, ReadStreamRequest } from "@peerpods/kata-protocols/agent";
import type { Agent } from "../agent.ts";
import { internal, invalidArgument, messageOf, unavailable, unimplemented } from "../errors.ts";
import { checkId } from "../ids.ts";
import type { OutputStream } from "../process/output-stream.ts";
import { deadlineOf } from "./handler.ts";

type Calls = Pick<
  ServiceImpl<typeof AgentService>,
  | "execProcess"
  | "signalProcess"
  | "waitProcess"
  | "writeStdin"
  | "readStdout"
  | "readStderr"
  | "closeStdin"
  | "ttyWinResize"
>;

const missing = (id: string) => internal(`container "${id}" does not exist`);

/** Calls about the processes of containers. */
export function processCalls(agent: Agent, setWindowSize: SetWindowSize): Calls {
  async function processOf(request: { containerId: string; execId: string }) {
    return (await agent.container(request.containerId)).process(request.execId);
  }
  return {
    async execProcess({ containerId, execId, process, stringUser }, context) {
      if (stringUser !== undefined) throw unimplemented("dev-agent does not look up users by name");
      const container = await agent.container(containerId, missing);
      await container.exec(checkId("exec id", execId), process, deadlineOf(context));
      return {};
    },
    async signalProcess({ containerId, execId, signal }) {
      await (await agent.container(containerId)).signal(execId, signal);
      return {};
    },
    async waitProcess({ containerId, execId }, context) {
      const container = await agent.container(containerId);
      return { status: await container.wait(execId, context.signal) };
    },
    async writeStdin({ containerId, execId, data }, context) {
      // The real agent answers INTERNAL to whatever goes wrong with a write.
      const failed = (error: unknown): never => {
        throw internal(messageOf(error), error);
      };
      const process = await processOf({ containerId, execId }).catch(failed);
      if (data.length === 0) process.stdin.close();
      else await process.stdin.write(data, context.signal).catch(failed);
      return { len: data.length };
    },
    readStdout: async (request, context) => read((await processOf(request)).stdout, request, context),
    readStderr: async (request, context) => read((await processOf(request)).stderr, request, context),
    async closeStdin(request) {
      (await processOf(request)).stdin.close();
      return {};
    },
    async ttyWinResize(request, context) {
      const process = await processOf(request);
      const size = { rows: request.row, columns: request.column };
      const done = process.terminal && (await setWindowSize({ pid: process.pid, size }, deadlineOf(context)));
      if (!done) throw unavailable("no tty");
      return {};
    },
  };
}

/** Sets the size of a process's terminal; false when it has none. */
export type SetWindowSize = (
  process: { readonly pid: number; readonly size: { readonly rows: number; readonly columns: number } },
  signal: AbortSignal,
) => Promise<boolean>;

/** The shim would go past the end of its buffer if it got more than it asked for. */
async function read(stream: OutputStream, { len }: ReadStreamRequest, { signal }: HandlerContext) {
  if (len === 0) throw invalidArgument("cannot read 0 bytes: no data means the end of the stream");
  return { data: await stream.read(len, signal) };
}
