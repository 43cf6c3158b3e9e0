import type { Logger } from "@peerpods/cloud-providers";
import { MAX_AUTH_JSON_BYTES } from "@peerpods/podvm-contract";
import { isKubernetesError, resource, secrets, serviceAccounts } from "@peerpods/peerpod-ctrl";
import type { KubeCallOptions, KubeClient } from "@peerpods/peerpod-ctrl";
import { explain } from "../sandbox/errors.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import type { PullSecrets } from "../user-data/guest-preparation.ts";
import { mergePullSecrets } from "./auth-json.ts";
import type { PullSecret } from "./auth-json.ts";
import { eventReasons } from "./pod-events.ts";
import type { PodFacts, PodLookup } from "./pod-lookup.ts";
import type { Teller } from "./teller.ts";

/** Limit of the whole look-up. After it the pod starts without. */
const TIMEOUT_MS = 10_000;
/** Secrets that are read for one pod. */
const MAX_SECRETS = 32;

const HOW_TO_MAKE_ONE = "make it with `kubectl create secret docker-registry`";

/**
 * The registry credentials of pods: the pull secrets of the service account, then the pod's own. Whatever goes wrong is told
 * on the Pod, and the pod starts without: its images may be public.
 */
export function createPullSecrets(
  kube: KubeClient,
  {
    lookup,
    teller,
    logger,
    timeoutMs = TIMEOUT_MS,
  }: {
    readonly lookup: PodLookup;
    readonly teller: Teller;
    readonly logger: Logger;
    readonly timeoutMs?: number;
  },
): PullSecrets {
  const warn = (record: SandboxRecord, reason: string, message: string) => {
    logger.warn({ sandboxId: record.sandboxId, reason }, message);
    teller.tell(record, { type: "Warning", reason, message });
  };

  async function read(record: SandboxRecord, call: KubeCallOptions): Promise<string | undefined> {
    const pod = await lookup.find(record, call);
    if (pod === undefined) return undefined;
    const skipped: { name: string; why: string }[] = [];
    const found: PullSecret[] = [];
    for (const [name, secret] of await readSecrets(kube, { pod, namespace: record.podNamespace }, call)) {
      if (typeof secret === "string") skipped.push({ name, why: secret });
      else found.push(secret);
    }
    const merged = mergePullSecrets(found);
    for (const { name, why } of [...skipped, ...merged.skipped])
      warn(
        record,
        eventReasons.pullSecretSkipped,
        `pull secret ${name} is left out: ${why}; ${HOW_TO_MAKE_ONE}`,
      );
    const { authJson } = merged;
    const bytes = Buffer.byteLength(authJson ?? "");
    if (bytes <= MAX_AUTH_JSON_BYTES) return authJson;
    warn(
      record,
      eventReasons.pullSecretsTooLarge,
      `the pod's pull secrets make ${bytes} bytes, and ${MAX_AUTH_JSON_BYTES} fit into the pod VM's user data; the pod ` +
        "starts without: give it only the secrets of the registries that it pulls from",
    );
    return undefined;
  }

  return {
    authJson: async (record, { signal }) => {
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        return await read(record, { signal: AbortSignal.any([signal, limit]), timeoutMs });
      } catch (error) {
        signal.throwIfAborted();
        const why = limit.aborted ? `not within ${timeoutMs} ms` : explain(error);
        warn(
          record,
          eventReasons.pullSecretsUnread,
          `the pod's pull secrets cannot be read: ${why}; the pod starts without`,
        );
        return undefined;
      }
    },
  };
}

/** Each secret, or why it cannot be read, in the order in which they count. */
async function readSecrets(
  kube: KubeClient,
  { pod, namespace }: { readonly pod: PodFacts; readonly namespace: string },
  call: KubeCallOptions,
): Promise<readonly (readonly [name: string, secret: PullSecret | string])[]> {
  const ofAccount = await accountSecrets(kube, { name: pod.serviceAccountName, namespace }, call);
  // A name that comes twice counts at its last place.
  const names = [...new Set([...ofAccount, ...pod.imagePullSecrets].toReversed())]
    .toReversed()
    .slice(-MAX_SECRETS);
  const api = resource(kube, secrets);
  return await Promise.all(
    names.map(async (name) => {
      try {
        const { data = {} } = await api.get({ namespace, name }, call);
        return [name, { name, data }] as const;
      } catch (error) {
        if (isKubernetesError(error, "not_found")) return [name, "it does not exist"] as const;
        if (isKubernetesError(error, "forbidden")) return [name, error.message] as const;
        // What is wrong with the API server is no matter of this one.
        throw error;
      }
    }),
  );
}

async function accountSecrets(
  kube: KubeClient,
  key: { readonly name: string; readonly namespace: string },
  call: KubeCallOptions,
): Promise<readonly string[]> {
  try {
    const { imagePullSecrets = [] } = await resource(kube, serviceAccounts).get(key, call);
    return imagePullSecrets.flatMap(({ name }) => (name ? [name] : []));
  } catch (error) {
    if (isKubernetesError(error, "not_found")) return [];
    throw error;
  }
}
