import { mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { hasConsoleLogs } from "@peerpods/cloud-providers";
import type { Logger, Provider } from "@peerpods/cloud-providers";
import * as z from "zod";
import type { FailedStart, FailedStarts } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import { isMissing, writeFileAtomic } from "../sandbox/journal/atomic-file.ts";

/** Failed starts that are kept; the oldest goes first. */
const MAX_STARTS = 20;
const MAX_LOG_BYTES = 65_536;
/** Sixteen logs, each byte of which may become a six-character escape. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const SUFFIX = ".json";

const schema: z.ZodType<FailedStart> = z.strictObject({
  sandboxId: z.string(),
  podName: z.string(),
  podNamespace: z.string(),
  reason: z.string(),
  atMs: z.number(),
  logs: z.array(z.strictObject({ name: z.string(), text: z.string(), truncated: z.boolean() })),
});

/**
 * Keeps what the guests of failed starts wrote, in files of mode 0600: at most 64 KiB of each log and the latest twenty
 * starts. A start that was kept already is left as it is, since after a restart its instance may be gone.
 */
export async function openFailedStarts(
  directory: string,
  { provider, logger }: { readonly provider: Provider; readonly logger: Logger },
): Promise<FailedStarts> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const list = async (): Promise<readonly FailedStart[]> => {
    const found = await Promise.all(
      (await namesIn(directory)).map((name) => read(join(directory, name), logger)),
    );
    return found.filter((start) => start !== undefined);
  };
  return {
    list,
    keep: async (record, { signal }) => {
      const path = join(directory, `${record.sandboxId}${SUFFIX}`);
      if ((await read(path, logger)) !== undefined) return;
      const { sandboxId, podName, podNamespace, times } = record;
      const start: FailedStart = {
        sandboxId,
        podName,
        podNamespace,
        reason: record.reason ?? "",
        atMs: times.endingMs ?? times.createdMs,
        logs: await logsOf(record, provider, { signal, logger }),
      };
      await writeFileAtomic(path, JSON.stringify(start));
      await dropOldest(directory, await list());
    },
  };
}

async function logsOf(
  { attempts }: SandboxRecord,
  provider: Provider,
  call: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<FailedStart["logs"]> {
  const attempt = attempts.at(-1);
  if (attempt === undefined || !hasConsoleLogs(provider)) return [];
  const { token, instanceId } = attempt;
  return await provider.consoleLogs(
    { token, ...(instanceId === undefined ? {} : { instanceId }), maxBytes: MAX_LOG_BYTES },
    call,
  );
}

async function dropOldest(directory: string, starts: readonly FailedStart[]): Promise<void> {
  for (const { sandboxId } of starts.toSorted((a, b) => b.atMs - a.atMs).slice(MAX_STARTS)) {
    await unlink(join(directory, `${sandboxId}${SUFFIX}`));
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith(SUFFIX) && !name.startsWith("."));
}

async function read(path: string, logger: Logger): Promise<FailedStart | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    return schema.parse(JSON.parse(await file.readFile("utf8")));
  } catch (error) {
    if (isMissing(error)) return undefined;
    logger.warn({ path, err: error }, "logs of a failed start cannot be read");
    return undefined;
  }
}
