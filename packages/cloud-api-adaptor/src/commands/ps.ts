import type { Sandbox } from "../gen/peerpods/control/v1/control_pb.ts";
import { connectDaemon, type CommandContext } from "./context.ts";
import { table } from "./table.ts";

/** `peerpods ps`: the sandboxes of the daemon on this node. */
export async function ps(context: CommandContext): Promise<void> {
  await using daemon = await connectDaemon(context);
  const { sandboxes } = await daemon.control.listSandboxes({}, { signal: context.signal, timeoutMs: 10_000 });
  context.stdout.write(
    context.json ? `${JSON.stringify(sandboxes.map(plain), undefined, 2)}\n` : listing(sandboxes),
  );
}

function listing(sandboxes: readonly Sandbox[]): string {
  return table([
    ["SANDBOX", "POD", "PHASE", "AGE", "INSTANCE", "ADDRESS", "AGENT"],
    ...sandboxes.map((sandbox) => [
      sandbox.sandboxId.slice(0, 12),
      `${sandbox.podNamespace}/${sandbox.podName}`,
      sandbox.error === "" ? sandbox.phase : `${sandbox.phase}: ${sandbox.error}`,
      age(sandbox.timeline[0]?.atMs),
      sandbox.instanceId,
      sandbox.addresses.join(","),
      sandbox.relay?.vm ?? "",
    ]),
  ]);
}

function age(sinceMs: number | undefined): string {
  if (sinceMs === undefined) return "";
  const seconds = Math.max(0, Math.floor((Date.now() - sinceMs) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** JSON has no 64-bit numbers, so counters become numbers; none of them comes near 2^53. */
function plain({ $typeName: _, relay, timeline, ...sandbox }: Sandbox): Record<string, unknown> {
  return {
    ...sandbox,
    timeline: timeline.map(({ name, atMs }) => ({ name, atMs })),
    ...(relay === undefined
      ? {}
      : {
          relay: Object.fromEntries(
            Object.entries(relay)
              .filter(([key]) => !key.startsWith("$"))
              .map(([key, value]) => [key, typeof value === "bigint" ? Number(value) : value]),
          ),
        }),
  };
}
