import { inspect } from "node:util";
import { loadOptions, type Logger } from "@peerpods/cloud-providers";
import { standInApiKey, type IbmcloudStandIn } from "@peerpods/ibmcloud-stand-in";
import { ibmcloudProvider } from "../manager.ts";
import { ibmcloudOptions } from "../options.ts";
import type { IbmcloudEffects, IbmcloudProvider } from "../provider.ts";

/** How a test connects. */
export interface TestConnection {
  readonly effects?: IbmcloudEffects;
  /** On top of what makes the stand-in's account work. An empty string takes a variable away. */
  readonly env?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  /** Where log lines are collected. */
  readonly logged?: string[];
}

/** Environment that makes the stand-in's account work. */
export function standInEnv({ origin, vpcUrl, account }: IbmcloudStandIn): Readonly<Record<string, string>> {
  return {
    IBMCLOUD_API_KEY: standInApiKey,
    IBMCLOUD_IAM_ENDPOINT: `${origin}/identity/token`,
    IBMCLOUD_VPC_ENDPOINT: vpcUrl,
    IBMCLOUD_TAGGING_ENDPOINT: origin,
    IBMCLOUD_CONTAINERS_ENDPOINT: origin,
    IBMCLOUD_PODVM_IMAGE_ID: `${account.image},${account.s390xImage}`,
    IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: "bx2-2x8",
    IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST: "bx2-2x8,bx2-4x16,bz2-2x8",
    IBMCLOUD_VPC_SUBNET_ID: account.subnet,
    IBMCLOUD_SECURITY_GROUP_IDS: account.securityGroup,
    TAGS: "team:payments",
  };
}

/** A provider of the stand-in, by the same way as a program gets one. */
export async function connect(
  standIn: IbmcloudStandIn,
  { effects = {}, env = {}, argv = [], logged = [] }: TestConnection = {},
): Promise<IbmcloudProvider> {
  const loaded = loadOptions(ibmcloudOptions, { argv, env: { ...standInEnv(standIn), ...env } });
  if ("help" in loaded) throw new Error("no help was asked for");
  return (await ibmcloudProvider(effects).newProvider({
    config: loaded.values,
    logger: collectingLogger(logged),
    stateDir: "/nonexistent",
    env: {},
  })) as IbmcloudProvider;
}

function collectingLogger(lines: string[]): Logger {
  const log = (fields: object, message: string) =>
    void lines.push(`${message} ${inspect(fields, { depth: 8 })}`);
  return { debug: log, info: log, warn: log, error: log };
}
