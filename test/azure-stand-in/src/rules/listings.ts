import type { Resource } from "../resource.ts";
import { ArmError } from "../arm-error.ts";
import { shown } from "./common.ts";
import { shownMachine } from "./machines.ts";
import type { Answer, Request } from "./request.ts";

/** All of a type in the group, in pages. */
export function listOf(type: string): (request: Request) => Answer {
  return (request) =>
    paged(
      request,
      request.account
        .ofType(type)
        .map((one) => (type.endsWith("virtualMachines") ? shownMachine(one) : shown(one))),
    );
}

/** Resources of the group that carry a tag. It hears of changes with a delay (inferred). */
export function listByTag(request: Request): Answer {
  const { account, query } = request;
  const match = /^tagName eq '([^']+)' and tagValue eq '([^']+)'$/.exec(query.get("$filter") ?? "");
  if (match === null)
    throw new ArmError(400, "InvalidFilterInQueryString", "Invalid $filter in the query string.");
  const [, key = "", value = ""] = match;
  const found = [...account.resources.values()].filter((one) => one.tags[key] === value);
  return paged(request, found.map(brief));
}

function brief({ id, name, type, location, tags }: Resource): object {
  return { id, name, type, location, tags };
}

function paged({ account, id, query, origin }: Request, all: readonly object[]): Answer {
  const skip = Number(query.get("$skiptoken") ?? 0);
  const value = all.slice(skip, skip + account.pageSize);
  const next = skip + account.pageSize;
  if (next >= all.length) return { status: 200, body: { value } };
  const rest = new URLSearchParams([...query].filter(([key]) => key !== "$skiptoken"));
  rest.set("$skiptoken", String(next));
  return { status: 200, body: { value, nextLink: `${origin}${id}?${rest.toString()}` } };
}
