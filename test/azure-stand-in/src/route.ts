import type { Account } from "./account.ts";
import { ArmError } from "./arm-error.ts";
import { describedVersion } from "./check-body.ts";
import { parsePath, type ResourcePath } from "./resource-id.ts";
import { ruleOf, type Rule } from "./rules/index.ts";

/** What a request is, as far as its line tells. */
export interface Route {
  readonly rule: Rule;
  /** Method and type, e.g. `PUT microsoft.compute/virtualmachines`. */
  readonly name: string;
  readonly path: ResourcePath;
}

/** @throws ArmError for a path, a version, a subscription or a group that ARM does not know. */
export function routeOf(account: Account, method: string, { pathname, searchParams }: URL): Route {
  const path = parsePath(pathname);
  if (path === undefined) throw new ArmError(404, "InvalidResourceType", `There is nothing at ${pathname}.`);
  if (path.subscription.toLowerCase() !== account.subscription)
    throw new ArmError(
      404,
      "SubscriptionNotFound",
      `The subscription '${path.subscription}' could not be found.`,
    );
  const name = nameOf(method, path, pathname);
  const rule = ruleOf(name);
  if (rule === undefined)
    throw new ArmError(
      404,
      "InvalidResourceType",
      `The resource type could not be found for ${method} ${pathname}.`,
    );
  checkVersion(path.type, searchParams.get("api-version"));
  if (path.group !== "" && !groupsOf(account).includes(path.group.toLowerCase()))
    throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${path.group}' could not be found.`);
  return { rule, name, path };
}

/** The pod VMs' own, and the one of the network. */
function groupsOf({ group, catalog }: Account): readonly string[] {
  return [group, parsePath(catalog.subnet)?.group ?? ""].map((name) => name.toLowerCase());
}

function nameOf(method: string, { type, group, names, tail }: ResourcePath, pathname: string): string {
  if (/\/providers\/Microsoft\.Authorization\/permissions$/i.test(pathname)) return "LIST permissions";
  if (type === "") return group === "" ? "GET subscription" : `${method} group`;
  if (method === "GET" && tail !== "" && names.length >= 0) return `LIST ${type}`;
  return `${method} ${type}`;
}

/** The version of a described type is the one that its description is of; of others only the form is known. */
function checkVersion(type: string, version: string | null): void {
  if (version === null)
    throw new ArmError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  const described = describedVersion(type);
  if (!/^20\d\d-\d\d-\d\d$/.test(version) || (described !== undefined && version !== described))
    throw new ArmError(
      400,
      "NoRegisteredProviderFound",
      `No registered resource provider found for API version '${version}' for type '${type}'.`,
    );
}
