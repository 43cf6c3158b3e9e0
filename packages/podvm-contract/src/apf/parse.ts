import type { z } from "zod";
import { PodVMContractError } from "../errors.ts";
import type { ApfConfig, PodNetworkConfig } from "./config.ts";
import { AmbiguousKey } from "./fold-keys.ts";
import { apfSchema } from "./schema.ts";

/** Greatest `apf.json` that is read, in bytes. User data of any cloud is smaller. */
export const MAX_APF_BYTES = 1024 * 1024;

/**
 * Reads `apf.json` as tolerantly as the reference forwarder: keys in any case, unknown keys ignored, `null` and
 * absent give empty values, `{}` is valid, a default route may be `0.0.0.0/0`, `::ffff:0.0.0.0/0` or empty.
 * Stricter in what could hide a mistake: text after the document, and two keys that differ in case only, are refused.
 * @throws PodVMContractError `too_large` above {@link MAX_APF_BYTES}; `invalid_apf` with every wrong key named.
 */
export function parseApfConfig(text: string | Uint8Array): ApfConfig {
  const result = validate(parseJson(decode(text)));
  if (!result.success) throw invalid(describe(result.error.issues));
  const file = result.data;
  return {
    podNetwork: file["pod-network"] && podNetwork(file["pod-network"]),
    podNamespace: file["pod-namespace"],
    podName: file["pod-name"],
    tlsServerKey: file["tls-server-key"] || undefined,
    tlsServerCert: file["tls-server-cert"] || undefined,
    tlsClientCa: file["tls-client-ca"] || undefined,
    tlsMinVersion: file["tls-min-version"] || undefined,
    tlsCipherSuites: file["tls-cipher-suites"].length > 0 ? file["tls-cipher-suites"] : undefined,
  };
}

type File = z.output<typeof apfSchema>;

function podNetwork(file: NonNullable<File["pod-network"]>): PodNetworkConfig {
  return {
    podIp: file.podip,
    podHwAddr: file["pod-hw-addr"],
    interface: file.interface,
    workerNodeIp: file["worker-node-ip"],
    tunnelType: file["tunnel-type"],
    routes: file.routes.map(({ dst, gw, dev, protocol, scope }) => ({
      dst,
      gw: gw || undefined,
      dev: dev || undefined,
      protocol,
      scope,
    })),
    neighbors: file.neighbors.map(({ ip, "hw-addr": hwAddr, dev, state }) => ({
      ip,
      hwAddr: hwAddr || undefined,
      dev: dev || undefined,
      state,
    })),
    mtu: file.mtu,
    index: file.index,
    vxlanPort: file["vxlan-port"] || undefined,
    vxlanId: file["vxlan-id"] || undefined,
    dedicated: file.dedicated,
    externalNetViaPodVm: file["external-net-via-pod-vm"],
  };
}

function decode(text: string | Uint8Array): string {
  const bytes = typeof text === "string" ? Buffer.byteLength(text) : text.byteLength;
  if (bytes > MAX_APF_BYTES) {
    throw new PodVMContractError(
      "too_large",
      `apf.json has ${bytes} bytes, at most ${MAX_APF_BYTES} are read`,
    );
  }
  return typeof text === "string" ? text : Buffer.from(text).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's message quotes the text around the fault, and the text holds a private key: drop it.
    throw invalid("it is not one JSON document");
  }
}

function validate(document: unknown) {
  try {
    return apfSchema.safeParse(document);
  } catch (error) {
    if (error instanceof AmbiguousKey) throw invalid(`${error.message}: given twice in different case`);
    throw error;
  }
}

function describe(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map((issue) => `${issue.path.join(".") || "document"}: ${issue.message}`).join("; ");
}

function invalid(reason: string): PodVMContractError {
  return new PodVMContractError("invalid_apf", `apf.json cannot be used: ${reason}`);
}
