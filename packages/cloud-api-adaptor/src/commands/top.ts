import { setTimeout as sleep } from "node:timers/promises";
import { connectDaemon, type CommandContext } from "./context.ts";
import { writeJson } from "./output.ts";
import { frame, type TopSample } from "./top/frame.ts";
import { openScreen } from "./top/screen.ts";

/**
 * `peerpods top`: sandboxes, phases and traffic, again every interval until the signal aborts. One frame where there is no
 * terminal, or as JSON.
 */
export async function top(
  context: CommandContext,
  { interval, once }: { readonly interval: number; readonly once: boolean },
): Promise<void> {
  const { stdout, signal } = context;
  await using daemon = await connectDaemon(context);
  const options = { signal, timeoutMs: 10_000 };
  const info = await daemon.control.info({}, options);
  const sample = async (): Promise<TopSample> => {
    const { sandboxes } = await daemon.control.listSandboxes({}, options);
    return { atMs: Date.now(), sandboxes };
  };
  let before: TopSample | undefined;
  let now = await sample();
  if (context.json) return writeJson(stdout, { daemon: info, ...now });
  if (once || stdout.isTTY !== true) return void stdout.write(frame({ info, now, before }));
  using screen = openScreen(stdout);
  while (!signal.aborted) {
    screen.show(frame({ info, now, before }));
    await sleep(interval, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    before = now;
    now = await sample();
  }
}
