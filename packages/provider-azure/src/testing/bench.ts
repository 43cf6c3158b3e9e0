import { startAzureStandIn } from "@peerpods/azure-stand-in";
import { standInEnv } from "./connect.ts";

export const maxAddedMiB = 45;

/** For `pnpm bench providers`: an account in which the configuration can be verified. */
export async function prepareBench(): Promise<
  AsyncDisposable & { readonly env: Readonly<Record<string, string>> }
> {
  const standIn = await startAzureStandIn();
  return {
    env: standInEnv(standIn),
    [Symbol.asyncDispose]: async () => await standIn[Symbol.asyncDispose](),
  };
}
