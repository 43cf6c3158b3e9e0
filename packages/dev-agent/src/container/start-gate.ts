import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Host } from "../host/host.ts";
import { makeFifos, openEndlessReader, openPatientWriter } from "../process/pipes.ts";

/**
 * Holds a container between creation and start.
 *
 * The agent must be told the exit code of a container, so the OCI runtime has to wait for it in the foreground
 * (`run`): only a parent learns an exit code, and the processes of `create` fall to the VM's PID 1. To keep
 * CreateContainer and StartContainer apart all the same, the runtime is stopped in a createRuntime hook, when
 * namespaces and cgroup are there and the command is not yet running: the hook reports and waits for an answer.
 *
 * The hook also pins the memory cgroup with a bind mount of it onto itself. The runtime removes the cgroup the moment
 * the container ends, and with it the count of processes that were killed for lack of memory; a mount point cannot be
 * removed, so the runtime tries again until the agent has read the counter and takes the mount away.
 */
export interface StartGate extends AsyncDisposable {
  /** The hook, for config.json. */
  readonly hook: object;
  /** Waits until the container is there, and returns the number of its init process. */
  held(signal: AbortSignal): Promise<number>;
  /** Lets it start, or makes the runtime undo it. Only the first answer counts. */
  answer(answer: "start" | "stop"): Promise<void>;
}

/** @param pinned directory of the memory cgroup. */
export async function createStartGate(
  options: { readonly directory: string; readonly pinned: string | undefined },
  host: Host,
  signal: AbortSignal,
): Promise<StartGate> {
  const { directory, pinned } = options;
  const [reportPath, answerPath] = [join(directory, "report"), join(directory, "answer")];
  await makeFifos([reportPath, answerPath], host, signal);
  const report = await openEndlessReader(reportPath);
  const reply = await openPatientWriter(answerPath);
  const [mountProgram, ...mountArgs] = host.tools.mount;
  const script = [
    "report=$0 answer=$1 pinned=$2; shift 2",
    '[ -z "$pinned" ] || "$@" -o bind "$pinned" "$pinned" || exit 1',
    // The state is JSON, which says the same with its line ends gone.
    'state=$(tr -d "\\n"); echo "$state" >"$report"',
    'read -r line <"$answer" && [ "$line" = start ]',
  ].join("\n");
  return {
    hook: {
      path: host.tools.shell,
      args: ["sh", "-c", script, reportPath, answerPath, pinned ?? "", mountProgram, ...mountArgs],
      env: [`PATH=${host.tools.searchPath}`],
    },
    held: async (waiting) => initPid(await readLine(report, waiting)),
    answer: (answer) => write(reply, `${answer}\n`),
    [Symbol.asyncDispose]: async () => {
      report.destroy();
      reply.destroy();
    },
  };
}

/** The hook passes on what the runtime tells it: the container's state (OCI runtime specification, "State"). */
function initPid(state: string): number {
  const { pid } = JSON.parse(state) as { pid?: unknown };
  if (typeof pid !== "number") throw new Error(`the OCI runtime did not say which process it made: ${state}`);
  return pid;
}

async function readLine(stream: Socket, signal: AbortSignal): Promise<string> {
  let text = "";
  while (!text.includes("\n")) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) await once(stream, "readable", { signal });
    else text += chunk.toString();
  }
  return text;
}

async function write(stream: Socket, text: string): Promise<void> {
  if (stream.destroyed) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.write(text, (error) => (error ? reject(error) : resolve()));
  await promise;
}
