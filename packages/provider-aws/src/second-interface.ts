import { ProviderError, type CallContext, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import type { Instance } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { interfacesOf, SECOND_INTERFACE } from "./instances.ts";
import type { Settings } from "./settings.ts";
import { partToken, tagSpecification } from "./tags.ts";

/** What a second interface is made of. */
export interface SecondInterface {
  readonly instance: Instance;
  readonly request: CreateInstanceRequest;
  readonly settings: Settings;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Gives a running instance its second interface, in the subnet and the groups of the first, and lets it go with the
 * instance. What an earlier, interrupted call did of it is not done again.
 * @returns the interface's id.
 */
export async function addSecondInterface(
  ec2: Ec2,
  { instance, request, settings, tags }: SecondInterface,
  call: CallContext,
): Promise<string> {
  const InstanceId = instance.InstanceId ?? "";
  const present = interfacesOf(instance).find(({ Description }) => Description === SECOND_INTERFACE);
  const id =
    present?.NetworkInterfaceId ?? (await createInterface(ec2, { instance, request, settings, tags }, call));
  const AttachmentId =
    present?.Attachment?.AttachmentId ??
    (await ec2.call("AttachNetworkInterface", { InstanceId, NetworkInterfaceId: id, DeviceIndex: 1 }, call))
      .AttachmentId;
  if (AttachmentId === undefined)
    throw new ProviderError("internal", `EC2 attached ${id} to ${InstanceId} without an attachment id`);
  if (present?.Attachment?.DeleteOnTermination !== true)
    await ec2.call(
      "ModifyNetworkInterfaceAttribute",
      { NetworkInterfaceId: id, Attachment: { AttachmentId, DeleteOnTermination: true } },
      call,
    );
  return id;
}

async function createInterface(
  ec2: Ec2,
  { instance, request, settings, tags }: SecondInterface,
  call: CallContext,
): Promise<string> {
  const groups =
    settings.securityGroups.length > 0
      ? [...settings.securityGroups]
      : (instance.SecurityGroups ?? []).flatMap(({ GroupId }) => GroupId ?? []);
  const { NetworkInterface } = await ec2.call(
    "CreateNetworkInterface",
    {
      ClientToken: partToken(request.token, "nic"),
      SubnetId: instance.SubnetId,
      Groups: groups,
      Description: SECOND_INTERFACE,
      TagSpecifications: [tagSpecification("network-interface", request.name, tags)],
    },
    call,
  );
  const id = NetworkInterface?.NetworkInterfaceId;
  if (id === undefined) throw new ProviderError("internal", "EC2 made a network interface without an id");
  return id;
}
