import { sizes, type Catalog } from "./catalog.ts";

/** Who may sign in, and where pod VMs go. */
export const standInIds = {
  tenant: "11111111-1111-1111-1111-111111111111",
  client: "22222222-2222-2222-2222-222222222222",
  subscription: "33333333-3333-3333-3333-333333333333",
  secret: "stand-in~client.secret-5f1d",
  federatedToken: "stand-in-federated-token-9e7a",
  group: "peer-pods",
  location: "westeurope",
} as const;

const networks = `/subscriptions/${standInIds.subscription}/resourceGroups/network/providers/Microsoft.Network`;
const galleries = `/subscriptions/${standInIds.subscription}/resourceGroups/${standInIds.group}/providers/Microsoft.Compute/galleries`;

/** Images that there are; the names say what is wrong with them. */
export const standInImages = {
  good: `${galleries}/pods/images/podvm/versions/1.0.0`,
  arm: `${galleries}/pods/images/podvm-arm/versions/1.0.0`,
  plain: `${galleries}/pods/images/podvm-plain/versions/1.0.0`,
  elsewhere: `${galleries}/pods/images/podvm-us/versions/1.0.0`,
  managed: `/subscriptions/${standInIds.subscription}/resourceGroups/${standInIds.group}/providers/Microsoft.Compute/images/podvm`,
  community: "/CommunityGalleries/peerpods-0a1b2c3d/Images/podvm/Versions/1.0.0",
} as const;

/** What the region has from the start. */
export const catalog: Catalog = {
  sizes,
  zones: ["1", "2", "3"],
  images: Object.fromEntries(
    Object.entries({
      [standInImages.good]: { regions: ["westeurope"], arch: "x64", security: "ConfidentialVmSupported" },
      [standInImages.arm]: { regions: ["westeurope"], arch: "Arm64", security: "None" },
      [standInImages.plain]: { regions: ["westeurope"], arch: "x64", security: "None" },
      [standInImages.elsewhere]: { regions: ["eastus"], arch: "x64", security: "ConfidentialVmSupported" },
      [standInImages.managed]: {
        regions: ["westeurope"],
        arch: "x64",
        security: "ConfidentialVmSupported",
      },
      [standInImages.community]: {
        regions: ["westeurope"],
        arch: "x64",
        security: "ConfidentialVmSupported",
      },
    } as const).map(([id, image]) => [id.toLowerCase(), image]),
  ),
  subnet: `${networks}/virtualNetworks/cluster/subnets/pods`,
  securityGroup: `${networks}/networkSecurityGroups/pods`,
};
