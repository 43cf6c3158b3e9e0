import { hostname } from "node:os";
import type { OptionValues } from "@peerpods/cloud-providers";
import { OptionsError } from "@peerpods/cloud-providers";
import { parseTlsProfile } from "@peerpods/podvm-contract";
import type { TlsProfile, TlsProfileInput } from "@peerpods/podvm-contract";
import type { TlsFiles } from "../pki/configured-tls.ts";
import { maxSandboxIdLength } from "../sandbox/sandbox-id.ts";
import type { KubernetesSettings } from "../kubernetes/open-kubernetes.ts";
import { checkEncodedInitdata } from "../user-data/initdata.ts";

/** Port that the chart's startup probe asks. */
const KUBERNETES_PROBE_PORT = 8000;
/** Sandbox ids of container engines. */
const ENGINE_ID_LENGTH = 64;

/** The daemon's options, as typed values; every time in milliseconds. */
export interface DaemonSettings {
  readonly socketPath: string;
  readonly podsDir: string;
  readonly stateDir: string;
  readonly controlSocketPath: string;
  readonly relaySocketPath: string;
  readonly relayLaunch: boolean;
  readonly forwarderPort: number;
  /** Absent: plain TCP. */
  readonly tls?: TlsSettings;
  readonly connectTimeoutMs: number;
  readonly network: NetworkSettings;
  /** Encoded; empty means none. */
  readonly initdata: string;
  readonly verifyCloudConfig: boolean;
  /** Negative: no limit. */
  readonly maxSandboxes: number;
  readonly scratchSpace: boolean;
  /** Empty: made once and kept. */
  readonly clusterId: string;
  readonly nodeName: string;
  /** Absent: no Kubernetes. */
  readonly kubernetes?: KubernetesSettings;
  /** 0: no probe endpoint. */
  readonly probePort: number;
  readonly reapGraceMs: number;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: string;
}

export interface TlsSettings {
  readonly files: TlsFiles;
  /** As it was written, for the VMs. */
  readonly profile: TlsProfileInput;
  /** The same for the relay. */
  readonly client: TlsProfile;
}

export interface NetworkSettings {
  readonly vxlanPort: number;
  readonly minVni: number;
  /** Empty: the primary one. */
  readonly hostInterface: string;
  readonly podSubnetCidrs: readonly string[];
  readonly externalNetViaPodVm: boolean;
}

/**
 * Turns parsed options into settings and checks what only shows in combination.
 * @throws OptionsError with every problem.
 */
export function toSettings(
  values: OptionValues,
  { inKubernetes }: { readonly inKubernetes: boolean },
): DaemonSettings {
  const text = (flag: string) => values[flag] as string;
  const number = (flag: string) => values[flag] as number;
  const flag = (flag: string) => values[flag] as boolean;
  const list = (flag: string) => values[flag] as readonly string[];
  const problems: string[] = [];
  const check = <T>(what: string, act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  if (flag("tls-skip-verify")) {
    problems.push(
      "tls-skip-verify is not supported: there always is an authority to verify against; use disable-tls in tests",
    );
  }
  for (const name of ["socket", "pods-dir", "state-dir", "control-socket", "relay-socket"]) {
    if (!text(name).startsWith("/"))
      problems.push(`${name}: ${JSON.stringify(text(name))} is not an absolute path`);
  }
  if (maxSandboxIdLength(text("pods-dir")) < ENGINE_ID_LENGTH) {
    problems.push(
      `pods-dir: ${text("pods-dir")} is too long: with a sandbox id of ${ENGINE_ID_LENGTH} characters the agent sockets ` +
        "could not be bound",
    );
  }
  const profile = { minVersion: text("tls-min-version"), cipherSuites: list("tls-cipher-suites") };
  const client = check("tls-min-version, tls-cipher-suites", () => parseTlsProfile(profile));
  if (text("initdata") !== "") check("initdata", () => checkEncodedInitdata(text("initdata")));
  if (problems.length > 0 || client === undefined) throw new OptionsError(problems);

  const files = { caCertFile: text("ca-cert-file"), certFile: text("cert-file"), certKey: text("cert-key") };
  const probePort = number("probe-port");
  return {
    socketPath: text("socket"),
    podsDir: text("pods-dir"),
    stateDir: text("state-dir"),
    controlSocketPath: text("control-socket"),
    relaySocketPath: text("relay-socket"),
    relayLaunch: flag("relay-launch"),
    forwarderPort: number("forwarder-port"),
    ...(flag("disable-tls") ? {} : { tls: { files, profile, client } }),
    connectTimeoutMs: number("proxy-timeout"),
    network: {
      vxlanPort: number("vxlan-port"),
      minVni: number("vxlan-min-id"),
      hostInterface: text("host-interface"),
      podSubnetCidrs: list("pod-subnet-cidrs"),
      externalNetViaPodVm: flag("ext-network-via-podvm"),
    },
    initdata: text("initdata"),
    verifyCloudConfig: flag("cloud-config-verify"),
    maxSandboxes: number("peerpods-limit-per-node"),
    scratchSpace: flag("enable-scratch-space"),
    clusterId: text("cluster-id"),
    nodeName: text("node-name") || hostname(),
    // A pod may run this program for other reasons; the daemon's own is told the node's name.
    ...((inKubernetes && text("node-name") !== "") || text("kubeconfig") !== ""
      ? {
          kubernetes: {
            kubeconfig: text("kubeconfig"),
            nodeName: text("node-name"),
            podUid: text("pod-uid"),
            limit: number("peerpods-limit-per-node"),
          },
        }
      : {}),
    probePort: probePort >= 0 ? probePort : inKubernetes ? KUBERNETES_PROBE_PORT : 0,
    reapGraceMs: number("reap-grace"),
    shutdownTimeoutMs: number("shutdown-timeout"),
    logLevel: text("log-level"),
  };
}

/** What the operator should know about the settings although they work. One line each. */
export function settingsWarnings(settings: DaemonSettings, values: OptionValues): readonly string[] {
  const { tls } = settings;
  const { minVersion = "", cipherSuites = [] } = tls?.profile ?? {};
  return [
    values["pause-image"] === "" ? "" : "pause-image has no effect",
    tls === undefined ? "TLS to pod VMs is switched off; use this for tests only" : "",
    minVersion === "" && cipherSuites.length === 0
      ? ""
      : `the TLS profile (minimum ${minVersion || "default"}, suites ${cipherSuites.join(",") || "default"}) is written into ` +
        "VMs when they are made; pods that exist keep theirs",
  ].filter((warning) => warning !== "");
}
