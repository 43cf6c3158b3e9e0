import { inspect } from "node:util";
import { loadOptions, type Logger } from "@peerpods/cloud-providers";
import { standInKey, type AwsStandIn } from "@peerpods/aws-stand-in";
import { awsProvider } from "../manager.ts";
import { awsOptions } from "../options.ts";
import type { AwsEffects, AwsProvider } from "../provider.ts";
import type { AwsAccount } from "./aws-account.ts";

/** How a test connects. */
export interface TestConnection {
  readonly effects?: AwsEffects;
  /** On top of what makes the stand-in's account work. An empty string takes a variable away. */
  readonly env?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  /** What the SDK's credential chain may read. */
  readonly chainEnv?: Readonly<Record<string, string>>;
  /** Where log lines are collected. */
  readonly logged?: string[];
}

/** Environment that makes the stand-in's account work. */
export function standInEnv(standIn: AwsStandIn, account: AwsAccount): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: standInKey.id,
    AWS_SECRET_ACCESS_KEY: standInKey.secret,
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_EC2: standIn.endpoint,
    AWS_ENDPOINT_URL_SERVICE_QUOTAS: standIn.endpoint,
    AWS_SUBNET_ID: account.zones[0]?.subnet ?? "",
    AWS_SG_IDS: account.securityGroup,
    PODVM_AMI_ID: account.image,
  };
}

/** A provider of the stand-in, by the same way as a program gets one. */
export async function connect(
  standIn: AwsStandIn,
  account: AwsAccount,
  { effects = {}, env = {}, argv = [], chainEnv = {}, logged = [] }: TestConnection = {},
): Promise<AwsProvider> {
  const loaded = loadOptions(awsOptions, { argv, env: { ...standInEnv(standIn, account), ...env } });
  if ("help" in loaded) throw new Error("no help was asked for");
  return (await awsProvider(effects).newProvider({
    config: loaded.values,
    logger: collectingLogger(logged),
    stateDir: "/nonexistent",
    env: { AWS_EC2_METADATA_DISABLED: "true", ...chainEnv },
  })) as AwsProvider;
}

function collectingLogger(lines: string[]): Logger {
  const log = (fields: object, message: string) =>
    void lines.push(`${message} ${inspect(fields, { depth: 8 })}`);
  return { debug: log, info: log, warn: log, error: log };
}
