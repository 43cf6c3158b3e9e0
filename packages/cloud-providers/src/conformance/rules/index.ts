import type { Rule } from "../rule.ts";
import { abilityRules } from "./abilities.ts";
import { abortRules } from "./abort.ts";
import { callRules } from "./calls.ts";
import { configurationRules, secretRules } from "./configuration.ts";
import { deletionRules } from "./deletion.ts";
import { faultRules } from "./faults.ts";
import { inventoryRules } from "./inventory.ts";
import { requestRules } from "./requests.ts";
import { tokenRules } from "./tokens.ts";

/** Every rule, in the order in which they run. */
export const conformanceRules: readonly Rule[] = [
  ...configurationRules,
  ...tokenRules,
  ...deletionRules,
  ...inventoryRules,
  ...requestRules,
  ...callRules,
  ...abilityRules,
  ...abortRules,
  ...faultRules,
  ...secretRules,
];
