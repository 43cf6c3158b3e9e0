import type { CreateInstanceRequest, InstanceSpec } from "../contract.ts";
import { instanceName } from "../identity/instance-name.ts";
import { instanceTags } from "../identity/instance-tags.ts";
import { instanceToken } from "../identity/instance-token.ts";

/** A spec without wishes, changed as given. */
export function testSpec(change: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    instanceType: "",
    vcpus: 0,
    memoryMiB: 0,
    gpus: 0,
    arch: "",
    image: "",
    multiNic: false,
    volumes: [],
    ...change,
  };
}

/** Whose request a {@link testRequest} is. */
export interface TestRequestOptions extends Partial<Omit<CreateInstanceRequest, "spec" | "token" | "tags">> {
  /** Default 1. */
  readonly attempt?: number;
  readonly clusterId?: string;
  readonly spec?: Partial<InstanceSpec>;
}

/** A request as the daemon makes it: token, name and tags belong together. */
export function testRequest({
  sandboxId = "4ef7f83bbef5".padEnd(64, "0"),
  podName = "web-0",
  podNamespace = "default",
  attempt = 1,
  clusterId = "test-cluster",
  spec,
  ...change
}: TestRequestOptions = {}): CreateInstanceRequest {
  return {
    token: instanceToken(sandboxId, attempt),
    name: instanceName(podName, sandboxId),
    sandboxId,
    podName,
    podNamespace,
    userData: "#cloud-config\n",
    tags: instanceTags({ clusterId, nodeName: "test-node", podNamespace, podName, sandboxId, attempt }),
    ...change,
    spec: testSpec(spec),
  };
}
