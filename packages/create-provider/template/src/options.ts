import type { OptionSpec } from "@peerpods/cloud-providers";

/** The options: from this list come flags, environment, help, redaction and chart values. */
export const options: OptionSpec = [
  {
    flag: "acme-endpoint",
    env: "ACME_ENDPOINT",
    type: "string",
    required: true,
    help: "Address of the API",
  },
  {
    flag: "acme-api-key",
    env: "ACME_API_KEY",
    type: "string",
    required: true,
    secret: true,
    help: "Credential",
  },
  { flag: "acme-image", env: "ACME_IMAGE", type: "string", required: true, help: "Pod VM image" },
  {
    flag: "acme-instance-type",
    env: "ACME_INSTANCE_TYPE",
    type: "string",
    default: "small",
    help: "Type of instances whose pod asks for none",
  },
];

/** The options as this package works with them. */
export interface Config {
  readonly endpoint: string;
  readonly apiKey: string;
  readonly image: string;
  readonly instanceType: string;
}

/** Values have been parsed and checked against {@link options} by then. */
export function toConfig(values: Readonly<Record<string, unknown>>): Config {
  return {
    endpoint: String(values["acme-endpoint"]),
    apiKey: String(values["acme-api-key"]),
    image: String(values["acme-image"]),
    instanceType: String(values["acme-instance-type"]),
  };
}
