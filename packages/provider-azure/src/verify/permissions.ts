import type { CallContext, Finding } from "@peerpods/cloud-providers";
import { groupPath } from "../names.ts";
import type { Parts } from "../parts.ts";
import { pagesOf } from "../pages.ts";
import { neededActions } from "../role.ts";
import { missingRole } from "./findings.ts";

interface Permission {
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
}

/** Whether the role of these credentials allows, on the resource group, all that pod VMs need; what it lacks is named. */
export async function verifyPermissions(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const { config } = parts;
  const arm = await parts.connect(call);
  const path = `${groupPath(config)}/providers/Microsoft.Authorization/permissions`;
  const granted: Permission[] = [];
  for await (const one of pagesOf<Permission>(arm, { name: "ListPermissions", path }, call))
    granted.push(one);
  const missing = neededActions(config).filter((action) => !granted.some((one) => allows(one, action)));
  return missing.length === 0 ? [] : [missingRole(missing)];
}

function allows({ actions = [], notActions = [] }: Permission, action: string): boolean {
  return (
    actions.some((pattern) => matches(pattern, action)) &&
    !notActions.some((pattern) => matches(pattern, action))
  );
}

function matches(pattern: string, action: string): boolean {
  return new RegExp(
    `^${pattern
      .split("*")
      .map((text) => RegExp.escape(text))
      .join(".*")}$`,
    "i",
  ).test(action);
}
