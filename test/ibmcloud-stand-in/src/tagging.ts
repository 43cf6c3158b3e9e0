import { ApiError } from "./api-error.ts";
import { listAt, objectAt } from "./check-shape.ts";
import type { State } from "./state.ts";

const tagForm = /^[A-Za-z0-9 _.:-]{1,128}$/;

/** `POST /v3/tags/attach`: the tagging API keeps tags in lower case, and answers for each resource. */
export function attachTags(state: State, query: URLSearchParams, body: unknown): object {
  if (query.get("tag_type") !== "user") throw new ApiError(400, "GST400E", "tag_type must be user here");
  const { tag_names: names, resources } = objectAt(body, "body");
  const tags = listAt(names, "tag_names").map((tag) => checkTag(tag));
  if (tags.length === 0) throw new ApiError(400, "GST400E", "tag_names is empty");
  return {
    results: listAt(resources, "resources").map((resource, index) => {
      const { resource_id: crn } = objectAt(resource, `resources[${index}]`);
      const id = typeof crn === "string" ? crn : "";
      const known = [...state.instances.values()].some((instance) => instance.crn === id);
      if (!known) return { resource_id: id, is_error: true, message: "resource not found" };
      const present = state.tags.get(id) ?? new Set<string>();
      for (const tag of tags) present.add(tag.toLowerCase());
      state.tags.set(id, present);
      return { resource_id: id, is_error: false };
    }),
  };
}

/** `GET /v3/tags?attached_to=<crn>` */
export function listTags(state: State, query: URLSearchParams): object {
  const items = [...(state.tags.get(query.get("attached_to") ?? "") ?? [])].map((name) => ({ name }));
  return { total_count: items.length, offset: 0, limit: 100, items };
}

export function checkTag(tag: unknown): string {
  if (typeof tag === "string" && tagForm.test(tag)) return tag;
  throw new ApiError(400, "GST401E", `${JSON.stringify(tag)} is not a valid tag`);
}

/** Inferred, as the reference reads it: `GET /network/v2/security-group/getSecurityGroups`. */
export function clusterGroups(
  query: URLSearchParams,
  known: { readonly cluster: string; readonly group: string },
): object {
  if (query.get("type") !== "cluster" || query.get("cluster") !== known.cluster)
    throw new ApiError(404, "cluster_not_found", "there is no such cluster");
  return [{ id: known.group, name: `kube-${known.cluster}` }];
}
