import { lastBytes, type CallContext, type ConsoleLog } from "@peerpods/cloud-providers";
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
