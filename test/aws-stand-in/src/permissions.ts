import { Ec2Error } from "./ec2-error.ts";
import type { Query } from "./query.ts";

/**
 * Holds a call against what the caller's role may do, as IAM does.
 * @throws Ec2Error `UnauthorizedOperation`, `AccessDeniedException` outside EC2.
 */
export function checkPermitted(
  service: string,
  call: { readonly action: string; readonly query: Query },
  permitted: ReadonlySet<string> | undefined,
): void {
  if (permitted === undefined) return;
  const missing = neededPermissions(service, call).find((name) => !permitted.has(name));
  if (missing === undefined) return;
  const message = `You are not authorized to perform this operation. No identity-based policy allows ${missing}`;
  if (service === "ec2") throw new Ec2Error("UnauthorizedOperation", message, 403);
  throw new Ec2Error("AccessDeniedException", message);
}

/** IAM actions that a call needs: its own, tagging when it tags what it makes, passing a role on to an instance. */
export function neededPermissions(
  service: string,
  { action, query }: { readonly action: string; readonly query: Query },
): readonly string[] {
  const names = Object.keys(query);
  return [
    `${service}:${action}`,
    ...(names.some((name) => name.startsWith("TagSpecification.")) ? ["ec2:CreateTags"] : []),
    ...(names.some((name) => name.startsWith("IamInstanceProfile.")) ? ["iam:PassRole"] : []),
  ];
}
