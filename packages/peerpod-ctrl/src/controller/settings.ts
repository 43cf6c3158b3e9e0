import type { Logger } from "@peerpods/cloud-providers";
import { configMaps, secrets } from "../kubernetes/core.ts";
import { startInformer, type Informer } from "../kubernetes/informer.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { resource, type ObjectMeta } from "../kubernetes/resource.ts";

/** The configuration of providers, as one value. A change makes another value with a higher revision. */
export interface Settings {
  readonly revision: number;
  /** Options by their environment names, such as `AWS_REGION`. */
  readonly values: Readonly<Record<string, string>>;
}

/** The current {@link Settings}, kept current. */
export interface SettingsSource extends AsyncDisposable {
  /** Resolves when ConfigMap and Secret have been looked for once. */
  readonly synced: Promise<void>;
  current: () => Settings;
  stale(): { readonly sinceMs: number; readonly error: unknown } | undefined;
}

export interface SettingsOptions {
  readonly namespace: string;
  readonly configMap: string;
  readonly secret: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onChange: () => void;
}

/**
 * Watches one ConfigMap and one Secret. Either may be missing; where both have a key, the Secret's counts, at the start and
 * later alike. Nothing of them goes into the environment of the process. One that is
 * removed keeps its last values.
 */
export function watchSettings(kube: KubeClient, options: SettingsOptions): SettingsSource {
  const { namespace, configMap, secret, logger, signal, onChange } = options;
  let settings: Settings = { revision: 0, values: {} };
  let plain: Data = {};
  let encoded: Data = {};

  const refresh = () => {
    // What is removed goes on to count: an uninstallation must not leave instances that nobody can delete any more, and
    // without its region a provider would look in the wrong one and find nothing to delete.
    plain = plains.get(`${namespace}/${configMap}`)?.data ?? plain;
    encoded = hidden.get(`${namespace}/${secret}`)?.data ?? encoded;
    const decoded = Object.entries(encoded).map(
      ([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")] as const,
    );
    const values = { ...plain, ...Object.fromEntries(decoded) };
    if (JSON.stringify(values) === JSON.stringify(settings.values)) return;
    settings = { revision: settings.revision + 1, values };
    // Names only: what the values are is nobody's business.
    logger.info(
      { revision: settings.revision, keys: Object.keys(values).sort() },
      "configuration of providers read",
    );
    onChange();
  };
  const common = { namespace, logger, signal, onChange: refresh };
  const plains: Informer<WithData> = startInformer(resource(kube, configMaps), {
    ...common,
    fieldSelector: `metadata.name=${configMap}`,
  });
  const hidden: Informer<WithData> = startInformer(resource(kube, secrets), {
    ...common,
    fieldSelector: `metadata.name=${secret}`,
  });
  const synced = Promise.all([plains.synced, hidden.synced]).then(() => undefined);
  // Nobody need wait for it: an opening that fails elsewhere disposes of this before it looks.
  synced.catch(() => undefined);
  return {
    synced,
    current: () => settings,
    stale: () => plains.stale() ?? hidden.stale(),
    async [Symbol.asyncDispose]() {
      await Promise.all([plains[Symbol.asyncDispose](), hidden[Symbol.asyncDispose]()]);
    },
  };
}

type Data = Readonly<Record<string, string>>;

interface WithData {
  readonly metadata: ObjectMeta;
  readonly data?: Data;
}
