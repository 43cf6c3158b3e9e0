import { tagKeys, type CallContext } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import { groupPath, resourceTypes } from "./names.ts";
import { pagesOf } from "./pages.ts";
import type { NamedResource } from "./wire.ts";

/** Something that was made with a machine. */
export interface Part {
  readonly kind: "interface" | "disk" | "address";
  readonly id: string;
  /** Of the interface, or of the interface that has the address. */
  readonly index?: number;
}

const kinds: ReadonlyMap<string, Part["kind"]> = new Map(
  (["interface", "disk", "address"] as const).map((kind) => [resourceTypes[kind].toLowerCase(), kind]),
);

/** What carries a token and is no machine. One read finds out that there is nothing, which is the usual case. */
export async function partsByTag(
  arm: Arm,
  owner: { readonly config: AzureConfig; readonly token: string },
  call: CallContext,
): Promise<readonly Part[]> {
  const found: Part[] = [];
  for await (const { id = "", type = "" } of tagged(arm, owner, call)) {
    const kind = kinds.get(type.toLowerCase());
    if (kind !== undefined) found.push({ kind, id });
  }
  return found;
}

/** Ids of everything that carries a token, for a person who must clean up. */
export async function leftBehind(
  arm: Arm,
  owner: { readonly config: AzureConfig; readonly token: string },
  call: CallContext,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { id = "" } of tagged(arm, owner, call)) found.push(id);
  return found;
}

function tagged(
  arm: Arm,
  { config, token }: { readonly config: AzureConfig; readonly token: string },
  call: CallContext,
): AsyncGenerator<NamedResource> {
  const request = {
    name: "ListByTag",
    path: `${groupPath(config)}/resources`,
    query: { $filter: `tagName eq '${tagKeys.token}' and tagValue eq '${token}'` },
  } as const;
  return pagesOf<NamedResource>(arm, request, call);
}
