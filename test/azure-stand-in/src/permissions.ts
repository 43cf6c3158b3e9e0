import type { Account } from "./account.ts";
import { ArmError } from "./arm-error.ts";

/** @throws ArmError `AuthorizationFailed` unless the caller's role has the action. */
export function checkPermission(account: Account, action: string, scope: string): void {
  if (isGranted(account.granted, action)) return;
  throw new ArmError(
    403,
    "AuthorizationFailed",
    `The client 'stand-in' with object id '00000000-0000-0000-0000-0000000000aa' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid.`,
  );
}

/** What a request touches beside its own resource. @throws ArmError `LinkedAuthorizationFailed`. */
export function checkLinked(account: Account, action: string, linkedId: string): void {
  if (isGranted(account.granted, action)) return;
  throw new ArmError(
    403,
    "LinkedAuthorizationFailed",
    `The client has permission to perform the action on the scope, however the current tenant is not authorized to perform action(s) '${action}' on the linked scope(s) '${linkedId}'.`,
  );
}

function isGranted(granted: readonly string[], action: string): boolean {
  return granted.some((pattern) => {
    const form = pattern
      .split("*")
      .map((text) => RegExp.escape(text))
      .join(".*");
    return new RegExp(`^${form}$`, "i").test(action);
  });
}
