import type { CallContext, Finding } from "../../contract.ts";
import { isProviderError } from "../../errors.ts";
import type { CreateParts } from "./create.ts";

/** Asks the cloud about everything that the options name. */
export async function verifyFakeConfig(
  { client, config }: Pick<CreateParts, "client" | "config">,
  call: CallContext,
): Promise<readonly Finding[]> {
  try {
    const { types, zones } = await client.call("describeAccount", call, (cloud) => ({
      types: cloud.setup.types.map(({ name }) => name),
      zones: cloud.setup.zones,
    }));
    const image = await client.call("describeImage", call, (cloud) => cloud.images.has(config.image));
    return [
      ...missing("fake-instance-types", [config.instanceType, ...config.instanceTypes], types),
      ...missing("fake-zones", config.zones, zones),
      ...missing("fake-image", image ? [] : [config.image], []),
    ];
  } catch (error) {
    if (!isProviderError(error) || error.code !== "unauthorized") throw error;
    return [
      {
        severity: "error",
        subject: "fake-access-key",
        message: "the cloud refuses the access key",
        remedy: "set FAKE_ACCESS_KEY to a valid one",
      },
    ];
  }
}

function missing(subject: string, named: readonly string[], existing: readonly string[]): Finding[] {
  return [...new Set(named)]
    .filter((name) => !existing.includes(name))
    .map((name) => ({
      severity: "error",
      subject,
      message: `${name} does not exist`,
      remedy: existing.length === 0 ? "name one that does" : `name one of ${existing.join(", ")}`,
    }));
}
