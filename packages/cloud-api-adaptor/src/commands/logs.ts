import { Code, ConnectError } from "@connectrpc/connect";
import type { GuestLog, GuestLogsResponse } from "../gen/peerpods/control/v1/control_pb.ts";
import { CommandError, causeLine } from "./command-error.ts";
import { connectDaemon, type CommandContext } from "./context.ts";
import { harmless, writeJson } from "./output.ts";

/** `peerpods logs`: what the guest of a pod has written, also when its start failed. */
export async function logs(
  context: CommandContext,
  { pod, bytes, program }: { readonly pod: string; readonly bytes: number; readonly program?: string },
): Promise<void> {
  await using daemon = await connectDaemon(context);
  const answer = await daemon.control
    .guestLogs({ pod, maxBytes: bytes }, { signal: context.signal, timeoutMs: 20_000 })
    .catch(problem);
  const shown = program === undefined ? answer.logs : answer.logs.filter(({ name }) => name === program);
  if (program !== undefined && shown.length === 0) {
    throw new CommandError(`pod ${pod} has no log of ${program}`, {
      remedy: `there are: ${answer.logs.map(({ name }) => name).join(", ") || "none"}`,
    });
  }
  if (context.json) return writeJson(context.stdout, { ...answer, logs: shown });
  context.stderr.write(heading(answer));
  for (const log of shown) context.stdout.write(section(log, { isAlone: program !== undefined }));
}

function heading({
  podNamespace,
  podName,
  sandboxId,
  phase,
  error,
  keptAtMs,
  logs,
}: GuestLogsResponse): string {
  const when = keptAtMs === undefined ? "" : ` ${new Date(keptAtMs).toISOString()}`;
  const why = error === "" ? "" : `\n${harmless(error)}`;
  const none = logs.length === 0 ? "\nits guest has written nothing that could be kept" : "";
  return `${podNamespace}/${podName} (${sandboxId.slice(0, 12)}), ${phase}${when}${why}${none}\n`;
}

function section({ name, text, truncated }: GuestLog, { isAlone }: { readonly isAlone: boolean }): string {
  const body = harmless(text);
  const end = body === "" || body.endsWith("\n") ? "" : "\n";
  const cut = truncated ? ", its end" : "";
  return isAlone ? `${body}${end}` : `==> ${name}${cut} <==\n${body}${end}\n`;
}

function problem(error: unknown): never {
  const code = error instanceof ConnectError ? error.code : Code.Unknown;
  const remedy: Partial<Record<Code, string>> = {
    [Code.NotFound]:
      "peerpods ps lists the pods that exist; logs are kept of the latest twenty failed starts",
    [Code.FailedPrecondition]: "name the namespace too, or the beginning of the sandbox id",
    [Code.Unimplemented]:
      "look at the instance in the cloud's own console; a daemon of an older version cannot show logs either",
  };
  throw new CommandError(causeLine(error), {
    remedy: remedy[code] ?? "the daemon's log says more",
    cause: error,
  });
}
