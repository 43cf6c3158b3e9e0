import type { ConformanceTarget, FaultFacility } from "@peerpods/cloud-providers/conformance";
import { createKitPolicy, DrivenClock } from "@peerpods/cloud-providers/testing";
import { standInIds, standInImages, startAzureStandIn, type AzureStandIn } from "@peerpods/azure-stand-in";
import { createArm } from "../client.ts";
import { census, makeVolumes, tagsOf, userDataOf, vanish } from "./azure-account.ts";
import { connect, testKey } from "./connect.ts";

/** The stand-in and the provider as a target of the conformance kit, with every facility but images. */
export interface AzureTarget {
  readonly target: ConformanceTarget;
  readonly standIn: AzureStandIn;
  readonly dispose: () => Promise<void>;
}

/** Of the reference, with a public address. */
const reference = [
  "PUT microsoft.compute/virtualmachines",
  "GET microsoft.compute/locations/operations",
  "GET microsoft.network/networkinterfaces",
  "GET microsoft.network/publicipaddresses",
  "DELETE microsoft.compute/virtualmachines",
  "GET microsoft.compute/locations/operations",
];

/** ARM as it is on a good day, so that the undoing of a creation fits into its time. */
const delays = {
  createMachine: 60_000,
  allocate: 8_000,
  deleteMachine: 15_000,
  interface: 0,
  deleteInterface: 3_000,
  deleteDisk: 2_000,
  address: 2_000,
  deleteAddress: 2_000,
  cascade: 0,
};

/** @param options.repeat calls as in production; default: each fault is a failure of the call. */
export async function createAzureTarget({ repeat = false } = {}): Promise<AzureTarget> {
  const clock = new DrivenClock();
  const standIn = await startAzureStandIn({ now: () => clock.now(), delays });
  const { account } = standIn;
  const volumes = makeVolumes(standIn, 3);
  const logged: string[] = [];
  // Loaded once in a process; time must not run meanwhile.
  await import("../sdk.ts");
  await testKey("");
  const policy = createKitPolicy(clock, { scope: "azure stand-in", repeat });
  const connected = (env: Readonly<Record<string, string>> = {}) =>
    clock.hold(() =>
      connect(standIn, {
        // Looks in the background would be calls that no rule knows of; they have a test of their own.
        effects: {
          clock,
          policy,
          watch: false,
          createArm: (config, ownPolicy) => clock.hold(() => createArm(config, ownPolicy)),
        },
        logged,
        env: { USE_PUBLIC_IP: "true", AZURE_ZONES: "1,2", ...env },
      }),
    );
  const gallery = standInImages.good;
  const nothing = "00000000-0000-0000-0000-000000000000";
  const target: ConformanceTarget = {
    name: "azure",
    abilities: ["inventory", "placements", "volumes", "multiNic", "spot", "consoleLogs"],
    connect: () => connected(),
    clock,
    drive: async (rule) => await clock.runUntil(rule),
    undoMs: 60_000,
    census: () => Promise.resolve(census(standIn)),
    faults: faultsOf(standIn, clock),
    apiCalls: { seen: () => standIn.calls.map(({ name }) => name), reference },
    userDataOf: (id) => Promise.resolve(userDataOf(standIn, id)),
    maxUserDataBytes: 49_152,
    tagsOf: (id) => Promise.resolve(tagsOf(standIn, id)),
    vanish: (id) => Promise.resolve(vanish(standIn, id)),
    capacity({ instanceType, zone }, available) {
      const key = `${instanceType} ${zone}`;
      if (available) account.full.delete(key);
      else account.full.add(key);
      return Promise.resolve();
    },
    volumes,
    badSpecs: {
      "an image that does not exist": { image: gallery.replace("1.0.0", "9.9.9") },
      "an image id that is none": { image: "podvm; true" },
      "an image of another region": { image: standInImages.elsewhere },
      "an image of another architecture": { image: standInImages.arm },
      "an image for no confidential VM": { image: standInImages.plain },
      "a size that is not allowed": { instanceType: "Standard_B1s" },
      "a size that does not exist": { instanceType: "Standard_Z0" },
      "more than any size has": { vcpus: 4096 },
    },
    badConnections: {
      "an unknown client": () => connected({ AZURE_CLIENT_ID: nothing }),
      "a wrong client secret": () => connected({ AZURE_CLIENT_SECRET: `${standInIds.secret}-wrong` }),
      "another tenant": () => connected({ AZURE_TENANT_ID: nothing }),
      "no credentials": () => connected({ AZURE_CLIENT_SECRET: "" }),
      "another subscription": () => connected({ AZURE_SUBSCRIPTION_ID: nothing }),
      "another resource group": () => connected({ AZURE_RESOURCE_GROUP: "nobodys" }),
      "an image that does not exist": () => connected({ AZURE_IMAGE_ID: gallery.replace("1.0.0", "9.9.9") }),
      "an image of another region": () => connected({ AZURE_IMAGE_ID: standInImages.elsewhere }),
      "a subnet that does not exist": () => connected({ AZURE_SUBNET_ID: `${account.catalog.subnet}-x` }),
      "a group that does not exist": () => connected({ AZURE_NSG_ID: `${account.catalog.securityGroup}-x` }),
      "a size that does not exist": () => connected({ AZURE_INSTANCE_SIZE: "Standard_Z0" }),
      "a size that cannot be confidential": () => connected({ AZURE_INSTANCE_SIZE: "Standard_D2s_v5" }),
    },
    secrets: { values: [standInIds.secret], logged: () => logged },
    environment: {
      against: "a server of ours",
      real: "the SDK's sign-in and HTTP, over TLS; secret and workload identity",
      stoodIn:
        "Entra ID and the Resource Manager: requests held against the published descriptions, answers and operations written from what is known of ARM",
    },
    missing: { imageFile: "the provider does not offer images" },
  };
  return { target, standIn, dispose: async () => await standIn[Symbol.asyncDispose]() };
}

function faultsOf({ account: { faults }, calls }: AzureStandIn, clock: DrivenClock): FaultFacility {
  return {
    callCount: () => calls.length,
    inject: (fault) => faults.add(fault),
    stall({ after, acted }) {
      const stalled = faults.add({ kind: acted ? "hang_after" : "hang", after });
      void stalled.reached.then(() => clock.letGo());
      return stalled;
    },
  };
}
