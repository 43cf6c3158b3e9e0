import type { CloudOperation } from "@peerpods/cloud-providers";
import type * as ec2 from "@aws-sdk/client-ec2";

/** Calls of the EC2 API, with what they take and give. */
export interface Ec2Operations {
  AllocateAddress: [ec2.AllocateAddressCommandInput, ec2.AllocateAddressCommandOutput];
  AssociateAddress: [ec2.AssociateAddressCommandInput, ec2.AssociateAddressCommandOutput];
  AttachNetworkInterface: [ec2.AttachNetworkInterfaceCommandInput, ec2.AttachNetworkInterfaceCommandOutput];
  AttachVolume: [ec2.AttachVolumeCommandInput, ec2.AttachVolumeCommandOutput];
  CreateNetworkInterface: [ec2.CreateNetworkInterfaceCommandInput, ec2.CreateNetworkInterfaceCommandOutput];
  DeleteNetworkInterface: [ec2.DeleteNetworkInterfaceCommandInput, ec2.DeleteNetworkInterfaceCommandOutput];
  DeleteVolume: [ec2.DeleteVolumeCommandInput, ec2.DeleteVolumeCommandOutput];
  DescribeAddresses: [ec2.DescribeAddressesCommandInput, ec2.DescribeAddressesCommandOutput];
  DescribeImages: [ec2.DescribeImagesCommandInput, ec2.DescribeImagesCommandOutput];
  DescribeInstances: [ec2.DescribeInstancesCommandInput, ec2.DescribeInstancesCommandOutput];
  DescribeInstanceTypes: [ec2.DescribeInstanceTypesCommandInput, ec2.DescribeInstanceTypesCommandOutput];
  DescribeNetworkInterfaces: [
    ec2.DescribeNetworkInterfacesCommandInput,
    ec2.DescribeNetworkInterfacesCommandOutput,
  ];
  DescribeSecurityGroups: [ec2.DescribeSecurityGroupsCommandInput, ec2.DescribeSecurityGroupsCommandOutput];
  DescribeSubnets: [ec2.DescribeSubnetsCommandInput, ec2.DescribeSubnetsCommandOutput];
  DescribeTags: [ec2.DescribeTagsCommandInput, ec2.DescribeTagsCommandOutput];
  DescribeVolumes: [ec2.DescribeVolumesCommandInput, ec2.DescribeVolumesCommandOutput];
  DetachNetworkInterface: [ec2.DetachNetworkInterfaceCommandInput, ec2.DetachNetworkInterfaceCommandOutput];
  DisassociateAddress: [ec2.DisassociateAddressCommandInput, ec2.DisassociateAddressCommandOutput];
  GetConsoleOutput: [ec2.GetConsoleOutputCommandInput, ec2.GetConsoleOutputCommandOutput];
  ModifyNetworkInterfaceAttribute: [
    ec2.ModifyNetworkInterfaceAttributeCommandInput,
    ec2.ModifyNetworkInterfaceAttributeCommandOutput,
  ];
  ReleaseAddress: [ec2.ReleaseAddressCommandInput, ec2.ReleaseAddressCommandOutput];
  RunInstances: [ec2.RunInstancesCommandInput, ec2.RunInstancesCommandOutput];
  TerminateInstances: [ec2.TerminateInstancesCommandInput, ec2.TerminateInstancesCommandOutput];
}

export type Ec2Operation = keyof Ec2Operations;
export type Ec2Input<Name extends Ec2Operation> = Ec2Operations[Name][0];
export type Ec2Output<Name extends Ec2Operation> = Ec2Operations[Name][1];

/**
 * Asked twice, these give two, or refuse what they did themselves. All others read, remove, set a state, or carry a
 * client token.
 */
const unrepeatable: ReadonlySet<Ec2Operation> = new Set([
  "AllocateAddress",
  "AttachNetworkInterface",
  "AttachVolume",
]);

/** What the call policy must know of a call. */
export function cloudOperation(name: Ec2Operation): CloudOperation {
  return {
    name,
    repeat: unrepeatable.has(name) ? "once" : "repeatable",
    begins: name === "RunInstances",
  };
}
