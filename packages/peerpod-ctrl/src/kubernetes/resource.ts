import { isKubernetesError } from "./errors.ts";
import type { KubeCallOptions, KubeClient, KubeRequest } from "./kube-client.ts";

/** Which resource: `{ group: "", version: "v1", plural: "pods" }`. */
export interface ResourceType<T> {
  /** Empty for core. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** What comes from the server, checked. @throws anything when it is not one. */
  readonly parse: (input: unknown) => T;
}

/** The metadata that every object read from the server has, as far as it is used here. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** One object by name; `namespace` is left out for what is in none. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** One step of a JSON patch (RFC 6902). */
export interface JsonPatchStep {
  readonly op: "add" | "remove" | "replace" | "test";
  readonly path: string;
  readonly value?: unknown;
}

/** JSON patch steps, or the object of a merge patch (RFC 7386). */
export type Patch = readonly JsonPatchStep[] | Readonly<Record<string, unknown>>;

export interface ListOptions extends KubeCallOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects per request; the pages are put together. Default 500. */
  readonly pageSize?: number;
  /** What cannot be parsed is left out and told here; default: it fails the list. */
  readonly onMalformed?: (error: unknown) => void;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** What can be done with objects of one type. All methods throw KubernetesError. */
export interface Resource<T> {
  readonly type: ResourceType<T>;
  get(key: ObjectKey, options?: KubeCallOptions): Promise<T>;
  list(options?: ListOptions): Promise<ObjectList<T>>;
  create(object: object, options: KubeCallOptions & { readonly namespace?: string }): Promise<T>;
  /** Replaces the whole object; its resource version is the precondition. */
  replace(key: ObjectKey, object: object, options?: KubeCallOptions): Promise<T>;
  /** An array is a JSON patch, an object a merge patch. */
  patch(
    key: ObjectKey,
    patch: Patch,
    options?: KubeCallOptions & { readonly subresource?: "status" },
  ): Promise<T>;
  /**
   * Makes the object or brings the fields it names to what it says (server-side apply); fields that another manager has are
   * taken over.
   */
  apply(
    key: ObjectKey,
    object: object,
    options: KubeCallOptions & { readonly fieldManager: string },
  ): Promise<T>;
  /** Deleting what is gone succeeds. `uid` protects a same-named successor: then `conflict`. */
  delete(key: ObjectKey, options?: KubeCallOptions & { readonly uid?: string }): Promise<void>;
  /** Raw watch events `{ type, object }` from a resource version on; see `startInformer`. */
  watch(
    options: Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector"> & {
      readonly resourceVersion: string;
      readonly timeoutSeconds: number;
      readonly signal: AbortSignal;
      readonly idleMs: number;
    },
  ): AsyncIterable<unknown>;
}

/** The verbs of one resource type on one API server. */
export function resource<T>(kube: KubeClient, type: ResourceType<T>): Resource<T> {
  const base = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;

  function requestOf(
    verb: string,
    method: KubeRequest["method"],
    at: {
      readonly namespace?: string | undefined;
      readonly name?: string;
      readonly subresource?: string | undefined;
    },
  ): KubeRequest {
    const { namespace, name, subresource } = at;
    const path = [
      base,
      ...(namespace === undefined ? [] : ["namespaces", encodeURIComponent(namespace)]),
      type.plural,
      ...(name === undefined ? [] : [encodeURIComponent(name)]),
      ...(subresource === undefined ? [] : [subresource]),
    ].join("/");
    return {
      verb,
      method,
      path,
      group: type.group,
      resource: subresource === undefined ? type.plural : `${type.plural}/${subresource}`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
    };
  }

  async function list(options: ListOptions = {}): Promise<ObjectList<T>> {
    const { labelSelector, fieldSelector, pageSize = 500, onMalformed } = options;
    const items: T[] = [];
    let page: RawList;
    let next: string | undefined;
    do {
      const query = { labelSelector, fieldSelector, limit: pageSize, continue: next };
      page = (await kube.request({ ...requestOf("list", "GET", options), query }, options)) as RawList;
      for (const raw of page.items ?? []) {
        try {
          items.push(type.parse(raw));
        } catch (error) {
          if (onMalformed === undefined) throw error;
          onMalformed(error);
        }
      }
      next = page.metadata?.continue;
    } while (next !== undefined && next !== "");
    return { items, resourceVersion: page.metadata?.resourceVersion ?? "" };
  }

  return {
    type,
    list,
    async get(key, options) {
      return type.parse(await kube.request(requestOf("get", "GET", key), options));
    },
    async create(object, options) {
      const request = requestOf("create", "POST", { namespace: options.namespace });
      return type.parse(await kube.request({ ...request, body: object }, options));
    },
    async replace(key, object, options) {
      return type.parse(await kube.request({ ...requestOf("update", "PUT", key), body: object }, options));
    },
    async patch(key, patch, options = {}) {
      const contentType = Array.isArray(patch)
        ? "application/json-patch+json"
        : "application/merge-patch+json";
      const request = requestOf("patch", "PATCH", { ...key, subresource: options.subresource });
      return type.parse(await kube.request({ ...request, body: patch, contentType }, options));
    },
    async apply(key, object, { fieldManager, ...options }) {
      const request = requestOf("patch", "PATCH", key);
      // JSON is YAML as well.
      const contentType = "application/apply-patch+yaml";
      const query = { fieldManager, force: true };
      return type.parse(await kube.request({ ...request, query, body: object, contentType }, options));
    },
    async delete(key, { uid, ...options } = {}) {
      const body = uid === undefined ? {} : { body: { preconditions: { uid } } };
      try {
        await kube.request({ ...requestOf("delete", "DELETE", key), ...body }, options);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
    watch({ namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal, idleMs }) {
      const query = {
        labelSelector,
        fieldSelector,
        resourceVersion,
        timeoutSeconds,
        allowWatchBookmarks: true,
      };
      return kube.watch({ ...requestOf("watch", "GET", { namespace }), query }, { signal, idleMs });
    },
  };
}

interface RawList {
  readonly items?: readonly unknown[];
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

function isGone(error: unknown): boolean {
  return isKubernetesError(error, "not_found");
}
