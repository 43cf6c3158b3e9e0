import { createCloudConfig } from "@peerpods/cloud-providers";
import type { CloudConfigFile } from "@peerpods/cloud-providers";
import { encodeInitdata, guestPaths, serializeApfConfig } from "@peerpods/podvm-contract";
import type { ApfConfig, TlsProfile, TlsProfileInput } from "@peerpods/podvm-contract";
import type { PodTlsSource } from "../pki/pod-tls.ts";
import type { GuestPreparation, WaitOptions } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";

/** Looks up the registry credentials of a pod. The one in `kubernetes/` reads its pull secrets. */
export interface PullSecrets {
  /** `auth.json` as text, or `undefined` when the pod has none. */
  authJson(record: SandboxRecord, options: WaitOptions): Promise<string | undefined>;
}

/** TLS between relay and forwarder, as configured; absent means plain TCP. */
export interface GuestTls {
  readonly source: PodTlsSource;
  /** As the operator wrote it: it goes to the VM verbatim. */
  readonly profile: TlsProfileInput;
  /** The same for the relay. */
  readonly client: TlsProfile;
}

export interface GuestPreparationOptions {
  readonly tls?: GuestTls;
  /** Initdata for pods that bring none, encoded already; empty means none. Checked by `checkEncodedInitdata`. */
  readonly defaultInitdata: string;
  /** Ask the VM to encrypt its scratch space. */
  readonly scratchSpace: boolean;
  readonly pullSecrets?: PullSecrets;
}

/** Builds what one pod VM is told: certificates, `apf.json`, credentials, initdata, as one cloud-config document. */
export function createGuestPreparation(options: GuestPreparationOptions): GuestPreparation {
  return {
    prepare: async (record, { signal }) => {
      const [tls, authJson] = await Promise.all([
        options.tls?.source.issue(record.instanceName),
        options.pullSecrets?.authJson(record, { signal }),
      ]);
      const apf = serializeApfConfig(apfConfig(record, { ...tls?.guest, ...profileOf(options.tls) }));
      const userData = createCloudConfig(files(record, options, { apf, authJson }));
      if (tls === undefined || options.tls === undefined) return { userData };
      return { userData, tls: { ...tls.relay, ...options.tls.client } };
    },
  };
}

function apfConfig(record: SandboxRecord, tls: Partial<ApfConfig>): ApfConfig {
  return {
    podNetwork: record.network,
    podNamespace: record.podNamespace,
    podName: record.podName,
    ...tls,
  };
}

function profileOf(tls: GuestTls | undefined): Pick<ApfConfig, "tlsMinVersion" | "tlsCipherSuites"> {
  const { minVersion = "", cipherSuites = [] } = tls?.profile ?? {};
  return {
    ...(minVersion === "" ? {} : { tlsMinVersion: minVersion }),
    ...(cipherSuites.length === 0 ? {} : { tlsCipherSuites: cipherSuites }),
  };
}

function files(
  record: SandboxRecord,
  { defaultInitdata, scratchSpace }: GuestPreparationOptions,
  { apf, authJson }: { apf: string; authJson: string | undefined },
): CloudConfigFile[] {
  const initdata = record.initdata === undefined ? defaultInitdata : encodeInitdata(record.initdata);
  return [
    { path: guestPaths.apfConfig, content: apf },
    ...(authJson === undefined ? [] : [{ path: guestPaths.registryAuth, content: authJson }]),
    ...(initdata === "" ? [] : [{ path: guestPaths.initdata, content: initdata }]),
    ...(scratchSpace ? [{ path: guestPaths.scratchSpaceMarker, content: "" }] : []),
  ];
}
