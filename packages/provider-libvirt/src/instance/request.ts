import { createHash } from "node:crypto";
import {
  ProviderError,
  checkCreateRequest,
  encodeUserData,
  type CreateInstanceRequest,
} from "@peerpods/cloud-providers";
import { checkVolumeName } from "../storage/volumes.ts";

/** Largest user data. An image could hold more, but what comes through here is read into memory by the guest. */
export const MAX_USER_DATA_BYTES = 1024 * 1024;

/** vda to vdz, of which two may be taken. */
export const MAX_DATA_VOLUMES = 20;

const architectures: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "aarch64", s390x: "s390x" };

/**
 * Refuses what can be judged without libvirt.
 * @throws ProviderError `invalid_request` with one line for each problem.
 */
export function checkRequest(request: CreateInstanceRequest): void {
  checkCreateRequest(request, { abilities: ["inventory", "volumes"] });
  encodeUserData(request.userData, {
    carrier: "a cloud-init image of libvirt",
    encoding: "plain",
    maxBytes: MAX_USER_DATA_BYTES,
  });
  if (request.spec.image !== "") checkVolumeName(request.spec.image);
  for (const { diskId } of request.spec.volumes) checkDiskId(diskId);
  const problems = [...specProblems(request.spec), ...tagProblems(request)];
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
}

/** A hash that tells two requests with the same token apart. */
export function fingerprintOf(request: CreateInstanceRequest): string {
  return createHash("sha256").update(JSON.stringify(request, sortedKeys)).digest("hex");
}

/** libvirt's name of an architecture, or the text itself. */
export function libvirtArchitecture(arch: string): string {
  return architectures[arch] ?? arch;
}

function checkDiskId(diskId: string): void {
  if (/^[\p{L}\p{N}_.][\p{L}\p{N}_.+@-]{0,254}$/u.test(diskId)) return;
  throw new ProviderError(
    "invalid_request",
    `${JSON.stringify(diskId.slice(0, 80))} is not the name of a volume in a storage pool`,
  );
}

function specProblems(spec: CreateInstanceRequest["spec"]): readonly string[] {
  const names = spec.volumes.map(({ diskId }) => diskId);
  const problems: readonly (readonly [boolean, string])[] = [
    [
      spec.instanceType !== "",
      `instanceType: ${JSON.stringify(spec.instanceType.slice(0, 80))} is unknown, libvirt has no machine types of that kind`,
    ],
    [spec.gpus > 0, "gpus: this provider cannot give a pod VM a GPU"],
    [names.length > MAX_DATA_VOLUMES, `volumes: ${names.length} are more than ${MAX_DATA_VOLUMES}`],
    [new Set(names).size < names.length, "volumes: one is named twice"],
  ];
  return problems.filter(([wrong]) => wrong).map(([, text]) => text);
}

/** XML cannot carry control characters at all. */
function tagProblems({ tags }: CreateInstanceRequest): readonly string[] {
  return Object.entries(tags)
    .filter(([key, value]) => key === "" || /\p{Cs}/u.test(key + value))
    .map(([key]) => `tag ${JSON.stringify(key.slice(0, 80))} cannot be written down`);
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
