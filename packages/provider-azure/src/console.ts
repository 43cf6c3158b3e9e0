import { lastBytes, type CallContext, type ConsoleLog } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";

/** The end of a machine's serial console. Azure writes it to storage of its own, from the first seconds of the boot on. */
export async function readConsole(
  arm: Arm,
  { id, maxBytes }: { readonly id: string; readonly maxBytes: number },
  call: CallContext,
): Promise<ConsoleLog> {
  const { body } = await arm.call<{ readonly serialConsoleLogBlobUri?: string }>(
    "GetConsole",
    { path: `${id}/retrieveBootDiagnosticsData` },
    call,
  );
  const url = body.serialConsoleLogBlobUri ?? "";
  const text = url === "" ? "" : await arm.download(url, call);
  return { name: "console", ...lastBytes(Buffer.from(text, "utf8"), maxBytes) };
}
