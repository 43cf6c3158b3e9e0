/**
 * Files, sockets and namespaces inside a pod VM, as guest programs of either implementation expect them.
 * What comes from user data is written only to the paths of {@link userDataPaths} and {@link initdataPaths}.
 */
export const guestPaths = {
  /** Cloud-config document on the `cidata` volume. */
  userData: "/media/cidata/user-data",
  /** Where everything below is written that a pod brings along. */
  configDirectory: "/run/peerpod",
  apfConfig: "/run/peerpod/apf.json",
  /** Registry credentials for pulling images inside the VM. */
  registryAuth: "/run/peerpod/auth.json",
  /** Base64 of gzip of TOML. */
  initdata: "/run/peerpod/initdata",
  /** Lower-case hex, no newline. */
  initdataDigest: "/run/peerpod/initdata.digest",
  attestationAgentConfig: "/run/peerpod/aa.toml",
  confidentialDataHubConfig: "/run/peerpod/cdh.toml",
  agentPolicy: "/run/peerpod/policy.rego",
  /** Empty file; its existence asks for a scratch volume. */
  scratchSpaceMarker: "/run/peerpod/scratch-space.marker",
  agentConfig: "/etc/agent-config.toml",
  agentSocket: "/run/kata-containers/agent.sock",
  confidentialDataHubSocket: "/run/confidential-containers/cdh.sock",
  attestationAgentSocket: "/run/confidential-containers/attestation-agent/attestation-agent.sock",
  /** Network namespace of the pod's containers, made before the forwarder starts. */
  podNetns: "/run/netns/podns",
} as const;

/** The only paths that `write_files` of the user data may name. */
export const userDataPaths: readonly string[] = [
  guestPaths.attestationAgentConfig,
  guestPaths.confidentialDataHubConfig,
  guestPaths.apfConfig,
  guestPaths.registryAuth,
  guestPaths.initdata,
  guestPaths.scratchSpaceMarker,
];

/** The only paths that data entries of initdata may become. */
export const initdataPaths: readonly string[] = [
  guestPaths.attestationAgentConfig,
  guestPaths.confidentialDataHubConfig,
  guestPaths.agentPolicy,
];
