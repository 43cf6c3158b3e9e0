import type { CloudOperation } from "@peerpods/cloud-providers";
import type { z } from "zod";
import {
  clusterSecurityGroupsSchema,
  dedicatedHostSchema,
  imageSchema,
  instanceSchema,
  instancesSchema,
  keySchema,
  nothingSchema,
  profileSchema,
  securityGroupSchema,
  subnetSchema,
  tagResultsSchema,
  tagsSchema,
  volumeSchema,
  volumesSchema,
} from "./model.ts";

/** Which of IBM Cloud's APIs is meant. */
export type Service = "vpc" | "tagging" | "containers";

interface OperationSpec {
  readonly service: Service;
  readonly method: "GET" | "POST" | "DELETE";
  /** With `{id}` for the one thing that it is about. */
  readonly path: string;
  readonly answer: z.ZodType;
  /** It begins something that more calls have to finish or undo. */
  readonly begins?: boolean;
}

/**
 * The calls that are made, by the API's own names. All of them may be repeated: they read, delete, tag, or make an instance
 * whose name no second one can have.
 */
export const operations = {
  create_instance: {
    service: "vpc",
    method: "POST",
    path: "/instances",
    answer: instanceSchema,
    begins: true,
  },
  list_instances: { service: "vpc", method: "GET", path: "/instances", answer: instancesSchema },
  get_instance: { service: "vpc", method: "GET", path: "/instances/{id}", answer: instanceSchema },
  delete_instance: { service: "vpc", method: "DELETE", path: "/instances/{id}", answer: nothingSchema },
  list_volumes: { service: "vpc", method: "GET", path: "/volumes", answer: volumesSchema },
  get_volume: { service: "vpc", method: "GET", path: "/volumes/{id}", answer: volumeSchema },
  get_image: { service: "vpc", method: "GET", path: "/images/{id}", answer: imageSchema },
  get_instance_profile: {
    service: "vpc",
    method: "GET",
    path: "/instance/profiles/{id}",
    answer: profileSchema,
  },
  get_subnet: { service: "vpc", method: "GET", path: "/subnets/{id}", answer: subnetSchema },
  get_security_group: {
    service: "vpc",
    method: "GET",
    path: "/security_groups/{id}",
    answer: securityGroupSchema,
  },
  get_key: { service: "vpc", method: "GET", path: "/keys/{id}", answer: keySchema },
  get_dedicated_host: {
    service: "vpc",
    method: "GET",
    path: "/dedicated_hosts/{id}",
    answer: dedicatedHostSchema,
  },
  get_dedicated_host_group: {
    service: "vpc",
    method: "GET",
    path: "/dedicated_host/groups/{id}",
    answer: dedicatedHostSchema,
  },
  attach_tag: { service: "tagging", method: "POST", path: "/v3/tags/attach", answer: tagResultsSchema },
  list_tags: { service: "tagging", method: "GET", path: "/v3/tags", answer: tagsSchema },
  get_security_groups: {
    service: "containers",
    method: "GET",
    path: "/network/v2/security-group/getSecurityGroups",
    answer: clusterSecurityGroupsSchema,
  },
} as const satisfies Readonly<Record<string, OperationSpec>>;

export type OperationName = keyof typeof operations;
export type AnswerOf<Name extends OperationName> = z.infer<(typeof operations)[Name]["answer"]>;

/** What the call policy must know of a call. */
export function cloudOperation(name: OperationName): CloudOperation {
  const operation: OperationSpec = operations[name];
  return { name, repeat: "repeatable", begins: operation.begins ?? false };
}
