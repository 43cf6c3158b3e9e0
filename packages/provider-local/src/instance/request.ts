import { createHash } from "node:crypto";
import {
  ProviderError,
  checkCreateRequest,
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
  checkCreateRequest(request, { abilities: ["inventory"] });
  encodeUserData(request.userData, {
    carrier: "a local pod VM",
    encoding: "plain",
    maxBytes: MAX_USER_DATA_BYTES,
  });
  const problems = specProblems(request.spec);
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
    [
      spec.arch !== "" && spec.arch !== own,
      `arch: ${quote(spec.arch)} is not this machine's, which is ${own}`,
    ],
  ];
  return problems.filter(([wrong]) => wrong).map(([, text]) => text);
}

/** The user's text: bounded and visible before it is repeated in a message. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
