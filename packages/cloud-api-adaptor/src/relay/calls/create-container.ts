import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { CreateContainerRequestSchema } from "@peerpods/kata-protocols/agent";
import { SpecSchema } from "@peerpods/kata-protocols/oci";
import type { Spec } from "@peerpods/kata-protocols/oci";
import { posix } from "node:path";

/** Set by the shim from the pod's annotations; any value, even `0`, asks for the GPUs of the VM. */
const GPUS_ANNOTATION = "io.katacontainers.config.hypervisor.default_gpus";
/** Container Device Interface: hands all GPUs of the pod VM to the container. */
const CDI_ANNOTATION = "cdi.k8s.io/peer-pods";
const CDI_ALL_GPUS = "nvidia.com/gpu=all";
/** Comma list of host paths that are volumes of the VM; readers ignore empty parts. */
const TARGET_PATH_ANNOTATION = "io.confidentialcontainers.org.peerpodvolumes.target_path";
const CSI_VOLUMES = "/volumes/kubernetes.io~csi/";

/** What the edit asks of the node. */
export interface CreateContainerFacts {
  /** Whether the CSI driver left this mount source to the VM as a direct volume. */
  isDirectVolume(source: string, options: { readonly signal: AbortSignal }): Promise<boolean>;
}

/**
 * Adds to a serialized CreateContainer request what only the node knows, as OCI annotations: the GPU device and the
 * mounts that are volumes of the VM. Fields this version does not know are kept. A request to which nothing is added comes
 * back as the same bytes. Rejects with `ConnectError` INVALID_ARGUMENT for bytes that are no such request.
 */
export async function editCreateContainer(
  payload: Uint8Array,
  facts: CreateContainerFacts,
  options: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const request = decode(payload);
  const spec = request.OCI;
  const added = await annotationsToAdd(spec, facts, options);
  if (added.size === 0) return payload;
  request.OCI = spec ?? create(SpecSchema);
  for (const [key, value] of added) request.OCI.Annotations[key] = value;
  return toBinary(CreateContainerRequestSchema, request);
}

function decode(payload: Uint8Array) {
  try {
    return fromBinary(CreateContainerRequestSchema, payload);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConnectError(
      `CreateContainer request cannot be decoded: ${reason}`,
      Code.InvalidArgument,
      undefined,
      undefined,
      error,
    );
  }
}

async function annotationsToAdd(
  spec: Spec | undefined,
  facts: CreateContainerFacts,
  options: { readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string>> {
  const added = new Map<string, string>();
  if (spec === undefined) return added;
  if ((spec.Annotations[GPUS_ANNOTATION] ?? "") !== "") added.set(CDI_ANNOTATION, CDI_ALL_GPUS);

  const paths = (spec.Annotations[TARGET_PATH_ANNOTATION] ?? "").split(",").filter((path) => path !== "");
  const before = paths.length;
  for (const { source } of spec.Mounts) {
    if (!posix.normalize(source).includes(CSI_VOLUMES) || paths.includes(source)) continue;
    if (await facts.isDirectVolume(source, options)) paths.push(source);
  }
  if (paths.length > before) added.set(TARGET_PATH_ANNOTATION, paths.join(","));
  return added;
}
