import type { CallContext, Clock } from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import type { IbmcloudConfig } from "./config.ts";
import type { ImageCatalog } from "./images.ts";
import type { Profile } from "./profiles.ts";
import type { Settings } from "./settings.ts";

/** What the operations of one provider work with. */
export interface Parts {
  readonly config: IbmcloudConfig;
  readonly clock: Clock;
  /** Pause between looks at something that takes its time. */
  readonly pollMs: number;
  /** The SDK, got ready when the first operation asks for it. Enough to delete. */
  ibmcloud(call: CallContext): Promise<Ibmcloud>;
  /** Where pod VMs go. */
  settings(call: CallContext): Promise<Settings>;
  /** The default profile and all allowed ones. */
  profiles(call: CallContext): Promise<readonly Profile[]>;
  readonly images: ImageCatalog;
}
