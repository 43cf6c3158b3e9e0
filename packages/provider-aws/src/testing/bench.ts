import { startAwsStandIn } from "@peerpods/aws-stand-in";
import { prepareAccount } from "./aws-account.ts";
import { standInEnv } from "./connect.ts";

/** The SDK takes most of it. */
export const maxAddedMiB = 100;

/** For `pnpm bench providers`: an account in which the configuration can be verified. */
export async function prepareBench(): Promise<
  AsyncDisposable & { readonly env: Readonly<Record<string, string>> }
> {
  const standIn = await startAwsStandIn();
  const env = standInEnv(standIn, await prepareAccount(standIn));
  return { env, [Symbol.asyncDispose]: async () => await standIn[Symbol.asyncDispose]() };
}
