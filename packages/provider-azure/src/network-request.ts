import type { Tags } from "@peerpods/cloud-providers";
import type { AzureConfig } from "./config.ts";

/** Where and with what tags something is made. */
type Facts = { readonly config: AzureConfig; readonly tags: Tags };

/** Body of a public address. Standard addresses are static, and work with zones and without. */
export function addressRequest({ config, tags }: Facts): object {
  return {
    location: config.region,
    tags,
    sku: { name: "Standard" },
    properties: { publicIPAllocationMethod: "Static", publicIPAddressVersion: "IPv4" },
  };
}

/** Body of a network interface. @param publicAddress its id; it goes with the interface. */
export function interfaceRequest(
  { config, tags }: Facts,
  { publicAddress }: { readonly publicAddress?: string },
): object {
  const address =
    publicAddress === undefined
      ? {}
      : { publicIPAddress: { id: publicAddress, properties: { deleteOption: "Delete" } } };
  return {
    location: config.region,
    tags,
    properties: {
      ipConfigurations: [
        {
          name: "primary",
          properties: {
            primary: true,
            privateIPAllocationMethod: "Dynamic",
            privateIPAddressVersion: "IPv4",
            subnet: { id: config.subnet },
            ...address,
          },
        },
      ],
      ...(config.securityGroup === "" ? {} : { networkSecurityGroup: { id: config.securityGroup } }),
    },
  };
}
