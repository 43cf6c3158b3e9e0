import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createServiceNotifier } from "./sd-notify.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "peerpods-notify-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

async function recorder(): Promise<{ command: string; heard: () => Promise<string> }> {
  const command = join(dir, "systemd-notify");
  await writeFile(command, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${dir}/heard\n`);
  await chmod(command, 0o755);
  return { command, heard: () => readFile(join(dir, "heard"), "utf8") };
}

it("passes the states on to systemd's tool", async () => {
  const { command, heard } = await recorder();
  const notifier = createServiceNotifier({ notifySocket: "/run/notify", logger: silentLogger, command });
  await notifier.notify("READY=1");
  await notifier.notify("STOPPING=1");
  expect(await heard()).toBe(
    `/run/notify --pid=${process.pid} READY=1\n/run/notify --pid=${process.pid} STOPPING=1\n`,
  );
});

it.each([undefined, ""])("does nothing when nobody listens: %j", async (notifySocket) => {
  const { command, heard } = await recorder();
  await createServiceNotifier({ notifySocket, logger: silentLogger, command }).notify("READY=1");
  await expect(heard()).rejects.toMatchObject({ code: "ENOENT" });
});

it("tells a missing tool in the log and goes on", async () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) };
  await createServiceNotifier({ notifySocket: "/run/notify", logger, command: join(dir, "none") }).notify(
    "READY=1",
  );
  expect(warnings).toEqual([expect.stringContaining("is systemd-notify installed?")]);
});
