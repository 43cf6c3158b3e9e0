/** The parts of a resource's path: `/subscriptions/s/resourceGroups/g/providers/ns/type/name[/type/name...]`. */
export interface ResourcePath {
  readonly subscription: string;
  readonly group: string;
  /** Namespace and types, lower case, e.g. `microsoft.network/virtualnetworks/subnets`. */
  readonly type: string;
  readonly names: readonly string[];
  /** Names a collection or an act below a resource, not a resource. */
  readonly tail: string;
}

export function parsePath(path: string): ResourcePath | undefined {
  const match =
    /^\/subscriptions\/([^/]+)(?:\/resourcegroups\/([^/]+)(?:\/(resources))?)?(?:\/providers\/(.+))?$/i.exec(
      path,
    );
  if (match === null) return undefined;
  const [, subscription = "", group = "", resources = "", rest = ""] = match;
  if (resources !== "") return { subscription, group, type: "resources", names: [], tail: "resources" };
  const [namespace = "", ...segments] = rest.split("/");
  const types = segments.filter((_, index) => index % 2 === 0);
  const names = segments.filter((_, index) => index % 2 === 1).map(decodeURIComponent);
  const tail = types.length > names.length ? (types.at(-1) ?? "") : "";
  return { subscription, group, type: [namespace, ...types].join("/").toLowerCase(), names, tail };
}

/** Ids are compared without regard to case, as ARM does. */
export function sameId(a: string | undefined, b: string | undefined): boolean {
  return (a ?? "").toLowerCase() === (b ?? "").toLowerCase();
}
