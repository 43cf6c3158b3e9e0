import * as z from "zod";

/**
 * The values of an installation: those of the chart's `values.yaml`, where each is described and has its default. Names of the
 * reference's chart are kept.
 */
export type InstallValues = z.infer<typeof valuesSchema>;

/** What slots are filled from. */
export interface InstallFacts {
  readonly values: InstallValues;
  readonly namespace: string;
  /** Of the programs: the tag of images that name none. */
  readonly version: string;
}

// A ConfigMap takes nothing but strings, and helm would write large numbers as 1e+06.
const texts = z.record(z.string(), z.string());
// A file in which all keys of a provider are commented out leaves nothing behind its name.
const perProvider = z.record(z.string(), texts.nullable());
const image = { tag: z.string(), pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]) };
const podSettings = {
  podLabels: texts,
  resources: z.record(z.string(), z.unknown()),
};
const serviceAccount = z.strictObject({ annotations: texts });
const notIncluded = (what: string) =>
  z.strictObject({ enabled: z.literal(false).describe(`${what} is not part of this chart`) });

/** Schema of the values; `values.schema.json`, by which helm checks them, is made from it. */
export const valuesSchema = z.strictObject({
  provider: z.string().min(1).max(63),
  providerConfigs: perProvider,
  providerSecrets: perProvider,
  clusterId: z.string().max(63),
  limit: z.string().regex(/^-?\d+$/),
  secrets: z.strictObject({
    mode: z.enum(["create", "reference"]),
    existingSecretName: z.string(),
    existingSshKeySecretName: z.string(),
    existingTlsSecretName: z.string(),
    tlsCerts: z.strictObject({ caCert: z.string(), clientCert: z.string(), clientKey: z.string() }),
  }),
  tlsProfile: z.strictObject({ minVersion: z.string(), cipherSuites: z.string() }),
  image: z.strictObject({ name: z.string(), ...image }),
  imagePullSecrets: z.array(z.strictObject({ name: z.string() })),
  daemonset: z.strictObject({
    updateStrategy: z.strictObject({
      maxUnavailable: z.union([z.int(), z.string()]),
      maxSurge: z.union([z.int(), z.string()]),
    }),
    serviceAccount,
    ...podSettings,
    nodeSelector: texts,
    tolerations: z.array(z.record(z.string(), z.unknown())),
    hostPID: z.boolean(),
    privileged: z.boolean(),
  }),
  relay: z.strictObject({ ...podSettings }),
  resourceCtrl: z.strictObject({
    enabled: z.boolean(),
    namePrefix: z.string(),
    replicas: z.int().min(0),
    image: z.strictObject({ repository: z.string(), ...image }),
    serviceAccount,
    ...podSettings,
  }),
  runtimeClass: z.strictObject({
    enabled: z.boolean(),
    name: z.string().min(1),
    handler: z.string().min(1),
    overhead: texts,
    nodeSelector: texts,
  }),
  alibabacloud: z.strictObject({ rrsa: z.strictObject({ enable: z.boolean() }) }),
  webhook: notIncluded("the webhook"),
  "kata-deploy": notIncluded("kata-deploy"),
});
