import { askMetadata, decodeBase64, dmiField } from "./metadata.ts";
import type { UserDataSource } from "./source.ts";

const service = "http://metadata.google.internal";

/** Compute Engine's metadata server, attribute `user-data`. */
export function gcpSource(root: string, base: string = service): UserDataSource {
  const url = `${base}/computeMetadata/v1/instance/attributes/user-data`;
  return {
    name: "gcp",
    // By the firmware, not by asking the network: that may not be up yet.
    detect: async () => (await dmiField(root, "product_name")) === "Google Compute Engine",
    read: async (call) =>
      decodeBase64(await askMetadata({ url, headers: { "Metadata-Flavor": "Google" } }, call)),
  };
}
