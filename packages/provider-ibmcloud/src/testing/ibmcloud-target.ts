import type { Tags } from "@peerpods/cloud-providers";
import type { ConformanceTarget, FaultFacility } from "@peerpods/cloud-providers/conformance";
import { createKitPolicy, DrivenClock } from "@peerpods/cloud-providers/testing";
import {
  standInApiKey,
  startIbmcloudStandIn,
  type Fault,
  type IbmcloudStandIn,
} from "@peerpods/ibmcloud-stand-in";
import { fromUserTags } from "../tags.ts";
import { connect } from "./connect.ts";

/** The stand-in and the provider as a target of the conformance kit, with every facility but images. */
export interface IbmcloudTarget {
  readonly target: ConformanceTarget;
  readonly standIn: IbmcloudStandIn;
  readonly clock: DrivenClock;
  readonly dispose: () => Promise<void>;
}

/** Of the reference. */
const reference = ["create_instance", "get_instance", "attach_tag", "delete_instance"];

/** @param options.repeat calls as in production; default: each fault is a failure of the call. */
export async function createIbmcloudTarget({ repeat = false } = {}): Promise<IbmcloudTarget> {
  const standIn = await startIbmcloudStandIn();
  const { account, state } = standIn;
  const clock = new DrivenClock();
  const logged: string[] = [];
  // Loaded once in a process; time must not run meanwhile.
  await import("../sdk.ts");
  const policy = createKitPolicy(clock, { scope: "ibmcloud stand-in", repeat });
  const connected = (env: Readonly<Record<string, string>> = {}) =>
    connect(standIn, { effects: { clock, policy }, logged, env });
  const missing = "r910-5a7e0000-0000-4000-8000-00000000dead";
  const target: ConformanceTarget = {
    name: "ibmcloud",
    abilities: ["inventory", "placements", "volumes", "multiNic"],
    connect: async () => await connected(),
    clock,
    drive: async (rule) => await clock.runUntil(rule),
    // Looks for a machine that the VPC may not list yet.
    undoMs: 60_000,
    // Two profiles fit it, so that there is a second placement.
    spec: { vcpus: 2, memoryMiB: 4096 },
    census: () => Promise.resolve(state.census()),
    faults: faultsOf(standIn, clock),
    apiCalls: { seen: () => standIn.calls.map(({ action }) => action), reference },
    userDataOf: (id) => Promise.resolve(state.instances.get(id)?.userData ?? ""),
    maxUserDataBytes: 65_536,
    tagsOf: (id) => Promise.resolve(tagsOf(standIn, id)),
    vanish(id) {
      const instance = state.instances.get(id);
      if (instance !== undefined) state.remove(instance);
      return Promise.resolve();
    },
    capacity({ instanceType, zone }, available) {
      if (available) state.exhausted.delete(`${instanceType} ${zone}`);
      else state.exhausted.add(`${instanceType} ${zone}`);
      return Promise.resolve();
    },
    volumes: account.volumes,
    badSpecs: {
      "an image that does not exist": { image: missing },
      "an image id that is none": { image: "r910; true" },
      "an image of another architecture": { image: account.s390xImage, instanceType: "bx2-2x8" },
      "a profile that is not allowed": { instanceType: "bx3dc-2x10" },
      "a profile that does not exist": { instanceType: "xx9-2x8" },
      "more than any profile has": { vcpus: 4096 },
    },
    badConnections: {
      "an unknown API key": async () => await connected({ IBMCLOUD_API_KEY: "nobodys-key" }),
      "an unknown trusted profile": async () =>
        await connected({ IBMCLOUD_API_KEY: "", IBMCLOUD_IAM_PROFILE_ID: "Profile-unknown" }),
      "an image that does not exist": async () => await connected({ IBMCLOUD_PODVM_IMAGE_ID: missing }),
      "an image that is obsolete": async () =>
        await connected({ IBMCLOUD_PODVM_IMAGE_ID: account.obsoleteImage }),
      "a subnet that does not exist": async () => await connected({ IBMCLOUD_VPC_SUBNET_ID: missing }),
      "a subnet of another zone": async () =>
        await connected({ IBMCLOUD_VPC_SUBNET_ID: account.otherZoneSubnet, IBMCLOUD_ZONE: account.zone }),
      "a group that does not exist": async () => await connected({ IBMCLOUD_SECURITY_GROUP_IDS: missing }),
      "a profile that does not exist": async () =>
        await connected({ IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: "xx9-2x8" }),
      "no profile": async () =>
        await connected({
          IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: "",
          IBMCLOUD_PODVM_INSTANCE_PROFILE_LIST: "",
        }),
      "a profile without TDX": async () => await connected({ DISABLECVM: "false" }),
      "a key that does not exist": async () => await connected({ IBMCLOUD_SSH_KEY_ID: missing }),
      "a dedicated host of another zone": async () =>
        await connected({ IBMCLOUD_DEDICATED_HOST_IDS: account.otherZoneHost }),
      "a cluster that does not exist": async () => await connected({ IBMCLOUD_CLUSTER_ID: "nocluster" }),
    },
    secrets: { values: [standInApiKey], logged: () => logged },
    missing: { imageFile: "the provider does not offer images" },
    environment: {
      against: "a server of ours",
      real: "the SDK, its requests and its tokens; labels and rights of a real API server; the official Python SDK as a second client",
      stoodIn: "IAM, VPC, global tagging and cluster API, written from the models of IBM's Python SDK",
    },
  };
  return { target, standIn, clock, dispose: async () => await standIn[Symbol.asyncDispose]() };
}

/** Tags of an instance and of its boot volume: interfaces cannot carry any. */
function tagsOf({ state }: IbmcloudStandIn, id: string): Readonly<Record<string, Tags>> {
  const instance = state.instances.get(id);
  if (instance === undefined) return {};
  return {
    [id]: fromUserTags([...(state.tags.get(instance.crn) ?? [])]),
    [instance.bootVolume]: fromUserTags(state.volumes.get(instance.bootVolume)?.userTags ?? []),
  };
}

function faultsOf({ faults, calls }: IbmcloudStandIn, clock: DrivenClock): FaultFacility {
  const add = (fault: Fault) => faults.add(fault);
  return {
    callCount: () => calls.length,
    inject: add,
    stall({ after, acted }) {
      const stalled = add({ kind: acted ? "hang_after" : "hang", after });
      void stalled.reached.then(() => clock.letGo());
      return stalled;
    },
  };
}
