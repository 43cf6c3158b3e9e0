import { profiles } from "../account.ts";
import { ApiError } from "../api-error.ts";
import type { State } from "../state.ts";
import {
  hostAnswer,
  imageAnswer,
  instanceAnswer,
  keyAnswer,
  pageOf,
  profileAnswer,
  securityGroupAnswer,
  subnetAnswer,
  volumeAnswer,
} from "./answers.ts";
import { createInstance } from "./create.ts";
import { deleteInstance, listInstances, lookAt } from "./instances.ts";

/** A request to the VPC API. */
export interface VpcRequest {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: object;
}

type Handler = (state: State, request: VpcRequest) => Answer;

const ok = (body: object): Answer => ({ status: 200, body });

function look(kind: string, find: (id: string) => object | undefined): Handler {
  return (_state, { id }) => {
    const found = find(id);
    if (found === undefined) throw new ApiError(404, `${kind}_not_found`, `${kind} ${id} does not exist`);
    return ok(found);
  };
}

/** Operations by the API's own names, with the path that each stands at below `/v1`. */
export const vpcRoutes: readonly {
  readonly name: string;
  readonly method: string;
  readonly path: RegExp;
  readonly handle: Handler;
}[] = [
  {
    name: "create_instance",
    method: "POST",
    path: /^\/instances$/,
    handle: (state, { body }) => ({ status: 201, body: instanceAnswer(createInstance(state, body)) }),
  },
  {
    name: "list_instances",
    method: "GET",
    path: /^\/instances$/,
    handle: (state, { query }) =>
      ok(pageOf("instances", listInstances(state, query).map(instanceAnswer), { path: "/instances", query })),
  },
  {
    name: "get_instance",
    method: "GET",
    path: /^\/instances\/([^/]+)$/,
    handle: (state, { id }) => ok(instanceAnswer(lookAt(state, id))),
  },
  {
    name: "delete_instance",
    method: "DELETE",
    path: /^\/instances\/([^/]+)$/,
    handle: (state, { id }) => {
      deleteInstance(state, id);
      return { status: 204 };
    },
  },
  {
    name: "list_volumes",
    method: "GET",
    path: /^\/volumes$/,
    handle: (state, { query }) => {
      const tag = query.get("tag")?.toLowerCase() ?? "";
      const volumes = [...state.volumes.values()].filter(
        ({ userTags }) => tag === "" || userTags.includes(tag),
      );
      return ok(
        pageOf(
          "volumes",
          volumes.map((volume) => volumeAnswer(volume, state)),
          { path: "/volumes", query },
        ),
      );
    },
  },
  {
    name: "get_volume",
    method: "GET",
    path: /^\/volumes\/([^/]+)$/,
    handle: (state, { id }) => {
      const volume = state.volumes.get(id);
      if (volume === undefined) throw new ApiError(404, "volume_not_found", `volume ${id} does not exist`);
      return ok(volumeAnswer(volume, state));
    },
  },
  { name: "get_image", method: "GET", path: /^\/images\/([^/]+)$/, handle: look("image", imageAnswer) },
  {
    name: "get_instance_profile",
    method: "GET",
    path: /^\/instance\/profiles\/([^/]+)$/,
    handle: look("instance_profile", (id) => {
      const profile = profiles.find(({ name }) => name === id);
      return profile === undefined ? undefined : profileAnswer(profile);
    }),
  },
  { name: "get_subnet", method: "GET", path: /^\/subnets\/([^/]+)$/, handle: look("subnet", subnetAnswer) },
  {
    name: "get_security_group",
    method: "GET",
    path: /^\/security_groups\/([^/]+)$/,
    handle: look("security_group", securityGroupAnswer),
  },
  { name: "get_key", method: "GET", path: /^\/keys\/([^/]+)$/, handle: look("key", keyAnswer) },
  {
    name: "get_dedicated_host",
    method: "GET",
    path: /^\/dedicated_hosts\/([^/]+)$/,
    handle: look("dedicated_host", (id) => hostAnswer(id, "hosts")),
  },
  {
    name: "get_dedicated_host_group",
    method: "GET",
    path: /^\/dedicated_host\/groups\/([^/]+)$/,
    handle: look("dedicated_host_group", (id) => hostAnswer(id, "groups")),
  },
];
