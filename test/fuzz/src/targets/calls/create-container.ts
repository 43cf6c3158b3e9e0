import { Buffer } from "node:buffer";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, normalize, sep } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { CreateContainerRequestSchema } from "@peerpods/kata-protocols/agent";
import pino from "pino";
import { refusedAsync, require } from "../../allowed.ts";
import { editCreateContainer, parseCloudVolumes, prepareContainer } from "../../internals.ts";
import type { FuzzTarget } from "../../target.ts";

const seed = toBinary(
  CreateContainerRequestSchema,
  create(CreateContainerRequestSchema, {
    containerId: "c1",
    execId: "c1",
    OCI: {
      Version: "1.0.2",
      Process: { Args: ["sh"], Cwd: "/" },
      Mounts: [
        {
          destination: "/data",
          source: "/x/volumes/kubernetes.io~csi/v/mount",
          type: "bind",
          options: ["rbind"],
        },
      ],
      Annotations: {
        "io.katacontainers.config.hypervisor.default_gpus": "1",
        "io.confidentialcontainers.org.cloud_volumes": '{"d":{"mount_point":"/data","lun":"1"}}',
      },
      Linux: { Namespaces: [{ Type: "network", Path: "/run/netns/x" }, { Type: "mount" }] },
    },
  }),
);

const podNetns = "/run/netns/podns";

/** CreateContainer as relay and forwarder change it: a proper request in the pod's network, or a status. */
export const createContainer: FuzzTarget = {
  name: "create-container",
  boundary:
    "CreateContainer: from the shim through agent-relay and agent-protocol-forwarder to the kata agent",
  seeds: [seed],
  words: [
    "network",
    "bind",
    "io.confidentialcontainers.org.peerpodvolumes.target_path",
    "kubernetes.io~csi",
    "../",
  ],
  async open() {
    const directory = await mkdtemp(join(tmpdir(), "peerpods-fuzz-bind-"));
    const refused = (error: unknown): boolean => error instanceof ConnectError;
    const context = {
      podNetns,
      volumes: {
        attach: async (annotation: string) => void parseCloudVolumes(annotation),
        detachAll: async () => undefined,
      },
      logger: pino({ level: "silent" }),
    };
    return {
      async take(input) {
        const call = { signal: new AbortController().signal };
        const facts = { isDirectVolume: async () => true };
        const onNode = await refusedAsync(() => editCreateContainer(input, facts, call), refused);
        const inVm =
          onNode &&
          (await refusedAsync(() => prepareContainer(confined(onNode, directory), context, call), refused));
        if (inVm === undefined) return;
        const networks = (fromBinary(CreateContainerRequestSchema, inVm).OCI?.Linux?.Namespaces ?? []).filter(
          ({ Type }) => Type === "network",
        );
        require(networks.length === 1 &&
          networks[0]?.Path === podNetns, "the container is in the pod's network only");
      },
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    };
  },
};

/** The forwarder makes the sources of bind mounts; here it must not do so outside the test's own directory, nor wait. */
function confined(payload: Uint8Array, directory: string): Buffer {
  const request = fromBinary(CreateContainerRequestSchema, payload);
  const annotations = request.OCI?.Annotations ?? {};
  delete annotations["io.confidentialcontainers.org.peerpodvolumes.target_path"];
  for (const mount of request.OCI?.Mounts ?? []) {
    const source = join(directory, normalize(`${sep}${mount.source.replaceAll("\0", "")}`).slice(0, 64));
    if (mount.source.startsWith("/")) mount.source = source;
  }
  return Buffer.from(toBinary(CreateContainerRequestSchema, request));
}
