import type { Check } from "./check.ts";
import { clock } from "./clock.ts";
import { disk } from "./disk.ts";
import { kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { network } from "./network.ts";
import { privileges } from "./privileges.ts";
import { programs } from "./programs.ts";
import { runtime } from "./runtime.ts";

/** What every provider needs of the node. */
export const nodeChecks: readonly Check[] = [
  privileges,
  kernel,
  programs,
  runtime,
  network,
  limits,
  clock,
  disk,
];
