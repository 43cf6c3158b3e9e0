import { slot } from "../slot.ts";
import type { InstallFacts } from "../values.ts";
import type { Part } from "./kube-object.ts";
import {
  configMapName,
  createsSecrets,
  labels,
  namespace,
  secretName,
  sshSecretName,
  tlsSecretName,
} from "./names.ts";

type Data = Readonly<Record<string, string>>;

/** Keys of `providerSecrets` that are files, and their names in the Secret for ssh. */
const sshFiles: Data = { id_rsa: "id_rsa", id_rsa_pub: "id_rsa.pub" };

/** Daemon and controller read the same ConfigMap and Secret; a key in both counts from the Secret. */
export function configData({ values }: InstallFacts): Data {
  const { provider, limit, clusterId, tlsProfile, providerConfigs } = values;
  const given = {
    PEERPODS_CLUSTER_ID: clusterId,
    TLS_MIN_VERSION: tlsProfile.minVersion,
    TLS_CIPHER_SUITES: tlsProfile.cipherSuites,
  };
  return {
    CLOUD_PROVIDER: provider,
    PEERPODS_LIMIT_PER_NODE: limit,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "")),
    ...providerConfigs[provider],
  };
}

export function secretData({ values: { provider, providerSecrets } }: InstallFacts): Data {
  return Object.fromEntries(
    Object.entries(providerSecrets[provider] ?? {}).filter(([key]) => !(key in sshFiles)),
  );
}

function sshData({ values: { provider, providerSecrets } }: InstallFacts): Data {
  const secrets = providerSecrets[provider] ?? {};
  return Object.fromEntries(
    Object.entries(sshFiles).flatMap(([key, file]) => (key in secrets ? [[file, secrets[key] ?? ""]] : [])),
  );
}

function tlsData({ values }: InstallFacts): Data {
  const { caCert, clientCert, clientKey } = values.secrets.tlsCerts;
  const files = { "ca.crt": caCert, "client.crt": clientCert, "client.key": clientKey };
  return Object.fromEntries(Object.entries(files).filter(([, text]) => text !== ""));
}

/** Values by which the configuration reaches the programs. The helm side stands in `_helpers.tpl`. */
export const configuration: readonly Part[] = [
  {
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: configMapName, namespace, labels: labels("peerpods") },
      data: slot('include "peerpods.config" . | fromJson', configData),
    },
  },
  secretPart(secretName, "peerpods.secrets", secretData),
  secretPart(sshSecretName, "peerpods.sshKeys", sshData),
  secretPart(tlsSecretName, "peerpods.tlsCerts", tlsData),
];

/** One without anything in it is left out: there may be one of the same name that was made by hand. */
function secretPart(name: typeof secretName, helper: string, data: (facts: InstallFacts) => Data): Part {
  return {
    when: slot(
      `and (${createsSecrets.helm}) (include "${helper}" . | fromJson)`,
      (facts) => createsSecrets.read(facts) && Object.keys(data(facts)).length > 0,
    ),
    object: {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, labels: labels("peerpods") },
      type: "Opaque",
      data: slot(`include "${helper}" . | fromJson`, (facts) => encoded(data(facts))),
    },
  };
}

function encoded(data: Data): Data {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
}
