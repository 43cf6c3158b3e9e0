import { loadOptions, type OptionValues } from "../../options/load.ts";
import type { OptionSpec } from "../../options/spec.ts";

/** Options of the fake provider, one of each kind that real providers have. */
export const fakeOptions: OptionSpec = [
  {
    flag: "fake-access-key",
    env: "FAKE_ACCESS_KEY",
    type: "string",
    required: true,
    secret: true,
    help: "Credential",
  },
  { flag: "fake-image", env: "FAKE_IMAGE", type: "string", default: "img-podvm", help: "Pod VM image" },
  {
    flag: "fake-instance-type",
    env: "FAKE_INSTANCE_TYPE",
    type: "string",
    default: "small",
    help: "Default type",
  },
  { flag: "fake-instance-types", env: "FAKE_INSTANCE_TYPES", type: "list", help: "Allowed types" },
  { flag: "fake-zones", env: "FAKE_ZONES", type: "list", default: ["a", "b"], help: "Zones, best first" },
  {
    flag: "fake-public-ip",
    env: "FAKE_PUBLIC_IP",
    type: "bool",
    default: false,
    help: "Connect over a public address",
  },
  {
    flag: "fake-poll-interval",
    env: "FAKE_POLL_INTERVAL",
    type: "duration",
    default: "1s",
    help: "Pause between looks",
  },
];

export interface FakeConfig {
  readonly accessKey: string;
  readonly image: string;
  readonly instanceType: string;
  readonly instanceTypes: readonly string[];
  readonly zones: readonly string[];
  readonly publicIp: boolean;
  readonly pollMs: number;
}

/** Values as a program hands them to `newProvider`: the defaults, changed by these environment variables. */
export function fakeOptionValues(env: Readonly<Record<string, string>> = {}): OptionValues {
  const loaded = loadOptions(fakeOptions, { argv: [], env: { FAKE_ACCESS_KEY: "fake-access-key", ...env } });
  return "values" in loaded ? loaded.values : {};
}

export function fakeConfig(values: Readonly<Record<string, unknown>>): FakeConfig {
  return {
    accessKey: values["fake-access-key"] as string,
    image: values["fake-image"] as string,
    instanceType: values["fake-instance-type"] as string,
    instanceTypes: values["fake-instance-types"] as readonly string[],
    zones: values["fake-zones"] as readonly string[],
    publicIp: values["fake-public-ip"] as boolean,
    pollMs: values["fake-poll-interval"] as number,
  };
}
