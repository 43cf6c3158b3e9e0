import { duplexPair } from "node:stream";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { silentLogger } from "@peerpods/cloud-providers";
import { CreateVMRequestSchema, Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { connectTtrpc, createTtrpcServer } from "@peerpods/ttrpc";
import { refusedAs, require } from "../../allowed.ts";
import { World, hypervisorRoutes, netnsPath, sandboxId, settle } from "../../internals.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";

const podsDir = "/run/peerpod/pods";
const hypervisor = "io.katacontainers.config.hypervisor.";
const seeds = [
  { "io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "default" },
  {
    "io.kubernetes.cri.sandbox-name": "k8s_web_default_uid_0",
    "io.kubernetes.cri.sandbox-namespace": "default",
    [`${hypervisor}machine_type`]: "large",
    [`${hypervisor}default_vcpus`]: "1.5",
    [`${hypervisor}default_memory`]: "2048",
    [`${hypervisor}default_gpus`]: "0",
    [`${hypervisor}cc_init_data`]: 'algorithm = "sha256"\nversion = "0.1.0"\n',
  },
].map((annotations) =>
  toBinary(
    CreateVMRequestSchema,
    create(CreateVMRequestSchema, { id: sandboxId, annotations, networkNamespacePath: netnsPath }),
  ),
);

/** Answers for a caller's mistake. Anything else would be a mistake of ours. */
const refusals: readonly Code[] = [Code.InvalidArgument, Code.FailedPrecondition];

/** CreateVM makes a sandbox that can be started and stopped without a trace, or is refused as wrong and leaves nothing. */
export const hypervisorSocket: FuzzTarget = {
  name: "hypervisor",
  boundary: "hypervisor.sock: CreateVM, from the kata shim to the daemon",
  seeds,
  words: [
    "../",
    "\0",
    "k8s_",
    "1e9",
    "99999999999",
    "0.000000001",
    netnsPath,
    `${hypervisor}image`,
    "sha999",
  ],
  open: stateless(async (input) => {
    const request = refusedAs(
      () => fromBinary(CreateVMRequestSchema, input),
      (error) => error instanceof Error,
    );
    if (request === undefined) return;
    await using node = await startNode();
    try {
      const { agentSocketPath } = await node.shim.createVM(request);
      require(agentSocketPath === `${podsDir}/${request.id}/agent.ttrpc`, "the socket is in its directory");
      require(/^[A-Za-z0-9_.-]+$/.test(request.id), "an id is one path component");
      await node.shim.startVM({ id: request.id });
      await node.shim.stopVM({ id: request.id });
    } catch (error) {
      const { code, message } = ConnectError.from(error);
      require(refusals.includes(code), `a refusal, not ${Code[code]}: ${message}`);
      require(message.length < 4096, "a message is not as long as the caller likes");
    }
    await settle();
    const left = Object.keys(node.world.leftovers());
    require(left.length === 0, `nothing is left: ${left.join()}`);
  }),
};

/** A node of its own for each input, since no two sandboxes ever have the same id. */
async function startNode() {
  const world = new World();
  const lifecycle = await world.daemon();
  const server = createTtrpcServer(
    hypervisorRoutes(lifecycle, { podsDir, multiNic: false, logger: silentLogger }),
  );
  const [near, far] = duplexPair();
  server.serve(far);
  const connection = connectTtrpc(near);
  return {
    world,
    shim: createClient(Hypervisor, connection.transport),
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}
