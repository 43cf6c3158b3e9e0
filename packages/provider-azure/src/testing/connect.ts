import { inspect } from "node:util";
import { createCallPolicy, loadOptions, type CallPolicy, type Logger } from "@peerpods/cloud-providers";
import { standInIds, standInImages, type AzureStandIn } from "@peerpods/azure-stand-in";
import { azureProvider } from "../manager.ts";
import { azureOptions } from "../options.ts";
import type { AzureEffects, AzureProvider } from "../provider.ts";
import { publicSshKey } from "../ssh-key.ts";

/** How a test connects. */
export interface TestConnection {
  readonly effects?: AzureEffects;
  /** On top of what makes the stand-in's account work. An empty string takes a variable away. */
  readonly env?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  /** Where log lines are collected. */
  readonly logged?: string[];
}

/** No rate but the machine's: what tests ask for does not wait for its turn. */
function unlimited(): CallPolicy {
  return createCallPolicy({ scope: "azure stand-in", bucket: { capacity: 10_000, refillPerSecond: 10_000 } });
}

let key: Promise<string> | undefined;

/** Making a key takes a while, so those that would be made share one. */
export async function testKey(path: string): Promise<string> {
  if (path !== "") return await publicSshKey(path);
  key ??= publicSshKey("");
  return await key;
}

/** Environment that makes the stand-in's account work. */
export function standInEnv(standIn: AzureStandIn): Readonly<Record<string, string>> {
  return {
    AZURE_CLIENT_ID: standInIds.client,
    AZURE_CLIENT_SECRET: standInIds.secret,
    AZURE_TENANT_ID: standInIds.tenant,
    AZURE_AUTHORITY_HOST: standIn.endpoint,
    AZURE_RESOURCE_MANAGER_ENDPOINT: standIn.endpoint,
    AZURE_CA_BUNDLE: standIn.caFile,
    AZURE_SUBSCRIPTION_ID: standInIds.subscription,
    AZURE_REGION: "West Europe",
    AZURE_RESOURCE_GROUP: standInIds.group,
    AZURE_SUBNET_ID: standIn.account.catalog.subnet,
    AZURE_NSG_ID: standIn.account.catalog.securityGroup,
    AZURE_IMAGE_ID: standInImages.good,
  };
}

/** A provider of the stand-in, by the same way as a program gets one. */
export async function connect(
  standIn: AzureStandIn,
  { effects = {}, env = {}, argv = [], logged = [] }: TestConnection = {},
): Promise<AzureProvider> {
  const loaded = loadOptions(azureOptions, { argv, env: { ...standInEnv(standIn), ...env } });
  if ("help" in loaded) throw new Error("no help was asked for");
  return (await azureProvider({ sshKey: testKey, policy: unlimited(), ...effects }).newProvider({
    config: loaded.values,
    logger: collectingLogger(logged),
    stateDir: "/nonexistent",
    env: {},
  })) as AzureProvider;
}

function collectingLogger(lines: string[]): Logger {
  const log = (fields: object, message: string) =>
    void lines.push(`${message} ${inspect(fields, { depth: 8 })}`);
  return { debug: log, info: log, warn: log, error: log };
}
