import type { Instance, InstanceNetworkInterface } from "@aws-sdk/client-ec2";
import type { CallContext, InstanceReference } from "@peerpods/cloud-providers";
import type { Ec2 } from "./client.ts";
import { literal } from "./tags.ts";

/** What an EC2 instance id looks like. */
export const instanceIdForm = /^i-[0-9a-f]{8,32}$/;

/** Pages of an answer that are read before it is given up: a hundred thousand instances. */
const MAX_PAGES = 100;

/** All instances that match, also those that are terminated but still listed. */
export async function describeInstances(
  ec2: Ec2,
  filters: { Name: string; Values: string[] }[],
  call: CallContext,
): Promise<readonly Instance[]> {
  const found: Instance[] = [];
  let next: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { Reservations = [], NextToken } = await ec2.call(
      "DescribeInstances",
      { Filters: filters, MaxResults: 1_000, ...(next === undefined ? {} : { NextToken: next }) },
      call,
    );
    found.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
    if (NextToken === undefined || NextToken === "") return found;
    next = NextToken;
  }
  throw new Error(`EC2 lists more than ${MAX_PAGES} pages of instances`);
}

/**
 * The instance that is meant, by id, else by token. Filters are used, not ids: an id that is gone is then an empty
 * answer, and a caller's text never becomes anything but a value.
 */
export async function findInstance(
  ec2: Ec2,
  { instanceId = "", token = "" }: InstanceReference,
  call: CallContext,
): Promise<Instance | undefined> {
  if (instanceId !== "") {
    const [instance] = await describeInstances(
      ec2,
      [{ Name: "instance-id", Values: [literal(instanceId)] }],
      call,
    );
    if (instance !== undefined || token === "") return instance;
  }
  const instances = await describeInstances(ec2, [{ Name: "client-token", Values: [literal(token)] }], call);
  return instances.find((instance) => !isGoneInstance(instance)) ?? instances[0];
}

export function isGoneInstance({ State }: Instance): boolean {
  return State?.Name === "terminated";
}

/** Description of an interface that is there for the pod's traffic, and not for the worker to dial. */
export const SECOND_INTERFACE = "peer pod: traffic that leaves the cluster";

export function interfacesOf(instance: Instance): readonly InstanceNetworkInterface[] {
  return (instance.NetworkInterfaces ?? []).toSorted(
    (a, b) => (a.Attachment?.DeviceIndex ?? 0) - (b.Attachment?.DeviceIndex ?? 0),
  );
}

/**
 * Private addresses of the interfaces that the machine was made with, in order; with a public one wished for, it takes
 * the first one's place. Empty as long as one of them is not known.
 */
export function addressesOf(
  instance: Instance,
  { publicAddress }: { readonly publicAddress: boolean },
): readonly string[] {
  const interfaces = interfacesOf(instance).filter(({ Description }) => Description !== SECOND_INTERFACE);
  const shown = interfaces.map(({ PrivateIpAddress, Association }, index) =>
    publicAddress && index === 0 ? Association?.PublicIp : PrivateIpAddress,
  );
  const addresses = shown.filter(isAddress);
  // Half of the answer is no answer: the first one is the one that is dialled.
  return addresses.length === shown.length ? addresses : [];
}

function isAddress(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text !== "0.0.0.0";
}
