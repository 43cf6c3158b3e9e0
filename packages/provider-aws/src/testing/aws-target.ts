import type { ConformanceTarget, FaultFacility } from "@peerpods/cloud-providers/conformance";
import { standInKey, startAwsStandIn, type AwsStandIn, type Fault } from "@peerpods/aws-stand-in";
import { census, prepareAccount, tagsOf, userDataOf, vanish, type AwsAccount } from "./aws-account.ts";
import { connect } from "./connect.ts";
import { createKitPolicy, DrivenClock } from "@peerpods/cloud-providers/testing";

/** The stand-in and the provider as a target of the conformance kit, with every facility but images. */
export interface AwsTarget {
  readonly target: ConformanceTarget;
  readonly standIn: AwsStandIn;
  readonly account: AwsAccount;
  readonly dispose: () => Promise<void>;
}

/** Of the reference, without the public address for which it waits. */
const reference = ["RunInstances", "DescribeAddresses", "TerminateInstances"];

/** @param options.repeat calls as in production; default: each fault is a failure of the call. */
export async function createAwsTarget({ repeat = false } = {}): Promise<AwsTarget> {
  const standIn = await startAwsStandIn();
  const account = await prepareAccount(standIn);
  const clock = new DrivenClock();
  const logged: string[] = [];
  // Loaded once in a process; time must not run meanwhile.
  await Promise.all([
    import("../sdk.ts"),
    import("@aws-sdk/client-service-quotas"),
    import("@aws-sdk/credential-provider-node"),
    import("@smithy/node-http-handler"),
  ]);
  const policy = createKitPolicy(clock, { scope: "aws stand-in", repeat });
  const [first, second] = account.zones;
  const zones = `${first?.zone}=${first?.subnet},${second?.zone}=${second?.subnet}`;
  const connected = (env: Readonly<Record<string, string>> = {}) =>
    clock.hold(() =>
      connect(standIn, account, {
        effects: { clock, policy },
        logged,
        env: { USE_PUBLIC_IP: "true", AWS_ZONE_SUBNETS: zones, ...env },
      }),
    );
  const missing = "0123456789abcdef0";
  const target: ConformanceTarget = {
    name: "aws",
    abilities: ["inventory", "placements", "volumes", "multiNic", "spot", "consoleLogs"],
    connect: () => connected(),
    clock,
    drive: async (rule) => await clock.runUntil(rule),
    // Looks for a machine that EC2 may not list yet.
    undoMs: 60_000,
    census: () => clock.hold(() => census(standIn)),
    faults: faultsOf(standIn, clock),
    apiCalls: { seen: () => standIn.calls.map(({ action }) => action), reference },
    userDataOf: (id) => clock.hold(() => userDataOf(standIn, id)),
    maxUserDataBytes: 16_384,
    tagsOf: (id) => clock.hold(() => tagsOf(standIn, id)),
    vanish: (id) => clock.hold(() => vanish(standIn, id)),
    capacity({ instanceType, zone }, available) {
      const key = `${instanceType} ${zone}`;
      if (available) standIn.state.exhausted.delete(key);
      else standIn.state.exhausted.add(key);
      return Promise.resolve();
    },
    volumes: account.volumes,
    badSpecs: {
      "an image that does not exist": { image: `ami-${missing}` },
      "an image id that is none": { image: "ami-; true" },
      "an image of another architecture": { image: account.armImage },
      "a type that is not allowed": { instanceType: "t3.micro" },
      "a type that does not exist": { instanceType: "x0.nano" },
      "more than any type has": { vcpus: 4096 },
    },
    badConnections: {
      "an unknown access key": () => connected({ AWS_ACCESS_KEY_ID: "AKIANOBODY" }),
      "a wrong secret key": () => connected({ AWS_SECRET_ACCESS_KEY: `${standInKey.secret}-wrong` }),
      "no credentials": () => connected({ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }),
      "an image that does not exist": () => connected({ PODVM_AMI_ID: `ami-${missing}` }),
      "a subnet that does not exist": () =>
        connected({ AWS_ZONE_SUBNETS: "", AWS_SUBNET_ID: `subnet-${missing}` }),
      "a group that does not exist": () => connected({ AWS_SG_IDS: `sg-${missing}` }),
      "a type that does not exist": () => connected({ PODVM_INSTANCE_TYPE: "x0.nano" }),
      "a type without SEV-SNP": () => connected({ PODVM_INSTANCE_TYPE: "t3.micro" }),
      "a key pair that does not exist": () => connected({ SSH_KP_NAME: "no-such-key" }),
      "no region": () => connected({ AWS_REGION: "" }),
    },
    secrets: { values: [standInKey.secret], logged: () => logged },
    missing: { imageFile: "the provider does not offer images" },
    environment: {
      against: "moto behind a proxy",
      real: "the SDK, its requests, retries and credentials",
      stoodIn: "EC2: moto, and a proxy that adds token table, interfaces, tags, limits and faults",
    },
  };
  return { target, standIn, account, dispose: async () => await standIn[Symbol.asyncDispose]() };
}

function faultsOf({ faults, calls }: AwsStandIn, clock: DrivenClock): FaultFacility {
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
