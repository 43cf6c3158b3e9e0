import type { CallContext, ConsoleLog } from "@peerpods/cloud-providers";
import type { Ec2 } from "./client.ts";

/** The end of an instance's console. EC2 keeps 64 KiB of it, and may have none for the first minutes. */
export async function readConsole(
  ec2: Ec2,
  { id, maxBytes }: { readonly id: string; readonly maxBytes: number },
  call: CallContext,
): Promise<ConsoleLog> {
  const { Output = "" } = await ec2.call("GetConsoleOutput", { InstanceId: id }, call);
  const bytes = Buffer.from(Output, "base64");
  return { name: "console", ...lastBytes(bytes, maxBytes) };
}

/** The last bytes as text, from the start of a character on. */
function lastBytes(bytes: Buffer, maxBytes: number): { readonly text: string; readonly truncated: boolean } {
  let from = Math.max(0, bytes.byteLength - Math.max(0, maxBytes));
  while (from < bytes.byteLength && ((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return { text: bytes.subarray(from).toString("utf8"), truncated: from > 0 };
}
