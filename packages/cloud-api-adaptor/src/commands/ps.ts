import type { Sandbox } from "../gen/peerpods/control/v1/control_pb.ts";
import { age } from "./age.ts";
import { connectDaemon, type CommandContext } from "./context.ts";
import { harmless, writeJson } from "./output.ts";
import { table } from "./table.ts";

/** `peerpods ps`: the sandboxes of the daemon on this node. */
export async function ps(context: CommandContext): Promise<void> {
  await using daemon = await connectDaemon(context);
  const { sandboxes } = await daemon.control.listSandboxes({}, { signal: context.signal, timeoutMs: 10_000 });
  if (context.json) return writeJson(context.stdout, sandboxes);
  context.stdout.write(listing(sandboxes));
}

function listing(sandboxes: readonly Sandbox[]): string {
  return table([
    ["SANDBOX", "POD", "PHASE", "AGE", "INSTANCE", "ADDRESS", "AGENT"],
    ...sandboxes.map((sandbox) => [
      sandbox.sandboxId.slice(0, 12),
      harmless(`${sandbox.podNamespace}/${sandbox.podName}`),
      harmless(sandbox.error === "" ? sandbox.phase : `${sandbox.phase}: ${sandbox.error}`),
      age(sandbox.timeline[0]?.atMs),
      sandbox.instanceId,
      sandbox.addresses.join(","),
      sandbox.relay?.vm ?? "",
    ]),
  ]);
}
