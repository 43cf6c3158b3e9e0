import { createHash } from "node:crypto";
import {
  ProviderError,
  checkToken,
  encodeUserData,
  type CreateInstanceRequest,
  type InstanceSpec,
} from "@peerpods/cloud-providers";
import type { Limits } from "../cgroup/limits.ts";
import type { LocalConfig } from "../options.ts";

/** Largest user data. Clouds take 16 to 256 KiB. */
const MAX_USER_DATA_BYTES = 256 * 1024;

/** What Node and Linux distributions call the same architecture. */
const architectures: Record<string, string> = {
  x64: "amd64",
  arm64: "arm64",
  s390x: "s390x",
  ppc64: "ppc64le",
};

/**
 * Refuses what this provider cannot give, instead of giving something else.
 * @throws ProviderError `invalid_request` with one line per problem.
 */
export function checkRequest(request: CreateInstanceRequest): void {
  checkToken(request.token);
  encodeUserData(request.userData, {
    carrier: "a local pod VM",
    encoding: "plain",
    maxBytes: MAX_USER_DATA_BYTES,
  });
  const problems = [...nameProblems(request), ...specProblems(request.spec)];
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
}

/** A hash that tells two requests with the same token apart. */
export function fingerprintOf(request: CreateInstanceRequest): string {
  return createHash("sha256").update(JSON.stringify(request, sortedKeys)).digest("hex");
}

/** The limits of a VM: the pod's wishes, else the options. */
export function limitsOf(spec: InstanceSpec, config: LocalConfig): Limits {
  return {
    vcpus: spec.vcpus || config.vcpus,
    memoryMiB: spec.memoryMiB || config.memoryMiB,
    pids: config.pidsLimit,
  };
}

function nameProblems(request: CreateInstanceRequest): string[] {
  if (/^[a-z0-9-]{1,63}$/.test(request.name)) return [];
  return [`name: ${quote(request.name)} is not 1 to 63 characters of a-z, 0-9 and -`];
}

function specProblems(spec: InstanceSpec): string[] {
  const own = architectures[process.arch] ?? process.arch;
  const problems: [boolean, string][] = [
    [
      spec.instanceType !== "",
      `instanceType: ${quote(spec.instanceType)} is unknown, local has no machine types`,
    ],
    [
      spec.image !== "",
      `image: ${quote(spec.image)} is unknown, local builds its only pod VM image by itself`,
    ],
    [spec.gpus > 0, "gpus: local cannot give a pod VM a GPU"],
    [spec.multiNic, "multiNic: local gives a pod VM one network interface only"],
    [spec.spot === true, "spot: local has no spot machines"],
    [spec.volumes.length > 0, "volumes: local cannot attach volumes"],
    [
      spec.arch !== "" && spec.arch !== own,
      `arch: ${quote(spec.arch)} is not this machine's, which is ${own}`,
    ],
    [!isCount(spec.vcpus), `vcpus: ${spec.vcpus} is not a number of CPUs`],
    [!isCount(spec.memoryMiB), `memoryMiB: ${spec.memoryMiB} is not a number of MiB`],
  ];
  return problems.filter(([wrong]) => wrong).map(([, text]) => text);
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** Names are the user's text: bounded and visible before they are repeated in a message. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
