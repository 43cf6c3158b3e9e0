import type { CallContext, Clock } from "@peerpods/cloud-providers";
import type { Access } from "./access.ts";
import type { AwsConfig } from "./config.ts";
import type { Ec2 } from "./client.ts";
import type { ImageCatalog } from "./images.ts";
import type { Ec2InstanceType } from "./instance-types.ts";
import type { Settings } from "./settings.ts";

/** What the operations of one provider work with. */
export interface Parts {
  readonly config: AwsConfig;
  readonly clock: Clock;
  /** Pause between looks at something that takes its time. */
  readonly pollMs: number;
  /** The SDK and the settings; both are got ready when the first operation asks for them. */
  connect(call: CallContext): Promise<Connected>;
  /** The default type and all allowed ones. */
  instanceTypes(call: CallContext): Promise<readonly Ec2InstanceType[]>;
  readonly images: ImageCatalog;
}

export interface Connected {
  readonly access: Access;
  readonly ec2: Ec2;
  readonly settings: Settings;
}
