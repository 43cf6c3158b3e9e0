import { startIbmcloudStandIn } from "@peerpods/ibmcloud-stand-in";
import { standInEnv } from "./connect.ts";

/** What `pnpm bench providers` needs to measure the daemon with this provider. */
export async function prepareBench(): Promise<
  AsyncDisposable & { readonly env: Readonly<Record<string, string>> }
> {
  const standIn = await startIbmcloudStandIn();
  return {
    env: standInEnv(standIn),
    [Symbol.asyncDispose]: async () => await standIn[Symbol.asyncDispose](),
  };
}

export const maxAddedMiB = 40;
