import { CONFIG_MAP_NAME, SECRET_NAME } from "../../api/names.ts";
import { slot, type Slot } from "../slot.ts";

/** Names and labels that several objects share. Those of the reference's chart are kept. */

export const namespace = slot(".Release.Namespace", (facts) => facts.namespace);
export const provider = slot(".Values.provider", ({ values }) => values.provider);
export const configMapName = CONFIG_MAP_NAME;
/** Of the daemon's container; what reads logs of existing installations knows it. */
export const DAEMON_NAME = "cloud-api-adaptor-daemonset";
export const DAEMON_ACCOUNT = "cloud-api-adaptor";
export const RELAY_NAME = "agent-relay-daemonset";
export const RELAY_ACCOUNT = "agent-relay";

export const secretName = secret("existingSecretName", SECRET_NAME);
export const sshSecretName = secret("existingSshKeySecretName", "ssh-key-secret");
export const tlsSecretName = secret("existingTlsSecretName", "certs-for-tls");

/** In mode `reference` a name that is not given leaves the default one, which may have been made by hand. */
function secret(
  key: "existingSecretName" | "existingSshKeySecretName" | "existingTlsSecretName",
  ours: string,
): Slot<string> {
  return slot(
    `ternary (default "${ours}" .Values.secrets.${key}) "${ours}" (eq .Values.secrets.mode "reference")`,
    ({ values: { secrets } }) => (secrets.mode === "reference" && secrets[key] !== "" ? secrets[key] : ours),
  );
}

export const createsSecrets = slot(
  'eq .Values.secrets.mode "create"',
  ({ values }) => values.secrets.mode === "create",
);

/** Labels of an object that belongs to a part of the installation. */
export function labels(partOf: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": "peerpods", "app.kubernetes.io/part-of": partOf };
}

export const imagePullSecrets = slot(".Values.imagePullSecrets", ({ values }) => values.imagePullSecrets);
