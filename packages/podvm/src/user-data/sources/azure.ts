import { askMetadata, decodeBase64, dmiField } from "./metadata.ts";
import type { UserDataSource } from "./source.ts";

const service = "http://169.254.169.254";
/** The same on every Azure machine, and on no other Hyper-V. */
const assetTag = "7783-7084-3265-9085-8269-3286-77";

/** Azure's instance metadata service. */
export function azureSource(root: string, base: string = service): UserDataSource {
  const url = `${base}/metadata/instance/compute/userData?api-version=2021-01-01&format=text`;
  return {
    name: "azure",
    detect: async () => (await dmiField(root, "chassis_asset_tag")) === assetTag,
    read: async (call) => decodeBase64(await askMetadata({ url, headers: { Metadata: "true" } }, call)),
  };
}
