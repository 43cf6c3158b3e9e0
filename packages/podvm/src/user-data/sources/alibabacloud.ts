import { askMetadata, dmiField } from "./metadata.ts";
import type { UserDataSource } from "./source.ts";

const service = "http://100.100.100.200";

/** Alibaba Cloud's ECS metadata service. */
export function alibabaCloudSource(root: string, base: string = service): UserDataSource {
  return {
    name: "alibabacloud",
    detect: async () => (await dmiField(root, "sys_vendor")) === "Alibaba Cloud",
    read: (call) => askMetadata({ url: `${base}/latest/user-data` }, call),
  };
}
