import { access, mkdir } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { CreateContainerRequestSchema } from "@peerpods/kata-protocols/agent";
import { LinuxNamespaceSchema, LinuxSchema } from "@peerpods/kata-protocols/oci";
import type { Spec } from "@peerpods/kata-protocols/oci";
import type { Logger } from "pino";
import type { CloudVolumes } from "../cloud-volumes/cloud-volumes.ts";
import { waitForMountPoint } from "./mount-points.ts";

/** Set by the worker: cloud volumes of this container, as JSON. */
const cloudVolumesAnnotation = "io.confidentialcontainers.org.cloud_volumes";
/** Set by the worker: sources that another program in the VM mounts, separated by commas. */
const targetPathAnnotation = "io.confidentialcontainers.org.peerpodvolumes.target_path";

/** What preparing a container needs. */
export interface ContainerContext {
  /** Path of the network namespace of the pod's containers. */
  readonly podNetns: string;
  readonly volumes: CloudVolumes;
  readonly logger: Logger;
}

/**
 * Prepares this VM for a container and changes its request accordingly: the pod's network namespace (the shim always
 * takes it out), its cloud volumes, the directories its bind mounts need, and the mounts it must wait for.
 * @throws ConnectError; the agent is not asked then
 */
export async function prepareContainer(
  payload: Uint8Array,
  context: ContainerContext,
  call: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const request = decode(payload);
  const spec = request.OCI;
  if (spec === undefined) throw new ConnectError("CreateContainer has no OCI spec", Code.InvalidArgument);
  joinPodNetwork(spec, context.podNetns);
  const volumes = spec.Annotations[cloudVolumesAnnotation];
  if (volumes) await context.volumes.attach(volumes, { spec, ...call });
  await makeBindSources(spec, context.logger);
  for (const path of mountsToWaitFor(spec)) await waitForMountPoint(path, call);
  return toBinary(CreateContainerRequestSchema, request);
}

function decode(payload: Uint8Array) {
  try {
    return fromBinary(CreateContainerRequestSchema, payload);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`error unmarshalling CreateContainerRequest: ${reason}`, Code.Internal);
  }
}

function joinPodNetwork(spec: Spec, path: string): void {
  spec.Linux ??= create(LinuxSchema);
  // A container has one network namespace, whatever came with the request.
  spec.Linux.Namespaces = [
    ...spec.Linux.Namespaces.filter(({ Type }) => Type !== "network"),
    create(LinuxNamespaceSchema, { Type: "network", Path: path }),
  ];
}

/** Failing is left to the agent, which knows whether the source matters. */
async function makeBindSources(spec: Spec, logger: Logger): Promise<void> {
  for (const { type, source } of spec.Mounts) {
    if (type !== "bind" || !isAbsolute(source)) continue;
    try {
      if (!(await exists(source))) await mkdir(source, { recursive: true });
    } catch (err) {
      logger.warn({ source, err }, "cannot make the source of a bind mount");
    }
  }
}

function mountsToWaitFor(spec: Spec): readonly string[] {
  const sources = new Set(spec.Mounts.map(({ source }) => source));
  const paths = (spec.Annotations[targetPathAnnotation] ?? "").split(",").map((path) => path.trim());
  return paths.filter((path) => path !== "" && sources.has(path));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
