import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CreateSandboxRequestSchema } from "@peerpods/kata-protocols/agent";

/** Takes the name servers out: the VM resolves names by its own resolv.conf, which the agent would replace. */
export function withoutDns(payload: Uint8Array): Uint8Array {
  const request = fromBinary(CreateSandboxRequestSchema, payload);
  if (request.dns.length === 0) return payload;
  request.dns = [];
  return toBinary(CreateSandboxRequestSchema, request);
}
