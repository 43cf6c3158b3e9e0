import type { InstanceSpec } from "@peerpods/cloud-providers";
import { SandboxError } from "../sandbox/errors.ts";

const POD_NAME = "io.kubernetes.cri.sandbox-name";
const POD_NAMESPACE = "io.kubernetes.cri.sandbox-namespace";
const HYPERVISOR = "io.katacontainers.config.hypervisor.";

/** Longest name Kubernetes allows for anything. */
const MAX_NAME_LENGTH = 253;
const MAX_WORD_LENGTH = 1024;
const MAX_COUNT = 2 ** 31 - 1;

/** What CreateVM's annotations say. The shim sends a fixed set; pod annotations do not arrive here. */
export interface PodAnnotations {
  readonly podName: string;
  readonly podNamespace: string;
  /** Without volumes, architecture and NIC wishes: no annotation carries them. */
  readonly spec: InstanceSpec;
  /** TOML as the shim decoded it, or absent. */
  readonly initdata?: string;
}

/**
 * Reads the annotations of CreateVM. Keys that are absent, empty or `0` are no wish. Counts that are fractions (the Rust
 * shim sends `1.5` CPUs) are rounded up, so that a pod never gets less than it asked for.
 * @throws SandboxError `invalid_request` with the key, the value and what is allowed.
 */
export function parseAnnotations(annotations: Readonly<Record<string, string>>): PodAnnotations {
  const initdata = annotations[`${HYPERVISOR}cc_init_data`] ?? "";
  return {
    podName: parsePodName(required(annotations, POD_NAME)),
    podNamespace: required(annotations, POD_NAMESPACE),
    spec: {
      instanceType: word(annotations, "machine_type"),
      vcpus: count(annotations, "default_vcpus"),
      memoryMiB: count(annotations, "default_memory"),
      gpus: count(annotations, "default_gpus"),
      arch: "",
      image: word(annotations, "image"),
      multiNic: false,
      volumes: [],
    },
    ...(initdata === "" ? {} : { initdata }),
  };
}

/** CRI-O names its sandboxes `k8s_<pod>_<namespace>_<uid>_<attempt>`; everyone else sends the pod's name. */
function parsePodName(value: string): string {
  const parts = value.split("_");
  const podName = parts.length > 1 && value.startsWith("k8s") ? parts[1] : value;
  if (podName === undefined || podName === "") throw invalid(POD_NAME, value, "the name of a pod");
  return podName;
}

function required(annotations: Readonly<Record<string, string>>, key: string): string {
  const value = annotations[key] ?? "";
  if (value === "") {
    throw new SandboxError(
      "invalid_request",
      `annotation ${key} is missing; the container engine must set it`,
    );
  }
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (value.length > MAX_NAME_LENGTH || /[\u0000-\u001f\u007f]/.test(value)) {
    throw invalid(key, value, `at most ${MAX_NAME_LENGTH} printable characters`);
  }
  return value;
}

function word(annotations: Readonly<Record<string, string>>, name: string): string {
  const key = `${HYPERVISOR}${name}`;
  const value = annotations[key] ?? "";
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (value.length > MAX_WORD_LENGTH || /[\u0000-\u001f\u007f]/.test(value)) {
    throw invalid(key, value, `at most ${MAX_WORD_LENGTH} printable characters`);
  }
  return value;
}

function count(annotations: Readonly<Record<string, string>>, name: string): number {
  const key = `${HYPERVISOR}${name}`;
  const value = annotations[key] ?? "";
  if (value === "") return 0;
  const number = /^\d{1,10}(\.\d{1,9})?$/.test(value) ? Math.ceil(Number(value)) : Number.NaN;
  if (number <= MAX_COUNT) return number;
  throw invalid(key, value, `a number from 0 to ${MAX_COUNT}`);
}

function invalid(key: string, value: string, allowed: string): SandboxError {
  const shown = JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return new SandboxError("invalid_request", `annotation ${key} is ${shown}; allowed: ${allowed}`);
}
