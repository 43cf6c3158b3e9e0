import * as z from "zod";
import type { ObjectMeta } from "../kubernetes/resource.ts";
import type { Condition } from "./conditions.ts";

/** What the cloud was asked for. All fields are optional, as in the reference; those below the first two are ours. */
export interface PeerPodSpec {
  /** Registry name of the provider. */
  readonly cloudProvider?: string;
  /** The cloud's id, once it has answered. */
  readonly instanceID?: string;
  /** Idempotency token of the current attempt, written before the cloud is asked. */
  readonly token?: string;
  /** Tokens of earlier attempts that may have left something. */
  readonly earlierTokens?: readonly string[];
  readonly sandboxID?: string;
  readonly nodeName?: string;
}

/** One word for `kubectl get`; the conditions are what programs read. */
export type PeerPodPhase = "Requested" | "Created" | "Running" | "Stopping" | "Failed" | "Deleting" | "Stuck";

/** What is known of it. */
export interface PeerPodStatus {
  readonly phase?: PeerPodPhase;
  /** `metadata.generation` that the status is about. */
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  /** Misspelt in the reference and written by nobody; kept, so that no object loses it. */
  readonly cleand?: boolean;
}

/** The record of one pod VM: kept in the pod's namespace, owned by the Pod, held by a finalizer until the VM is gone. */
export interface PeerPod {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: PeerPodSpec;
  readonly status: PeerPodStatus;
}

const condition = z.object({
  type: z.enum(["Created", "Running", "Deleting", "Deleted"]),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z
    .string()
    .max(1_024)
    .describe("One word for machines; the list is in the documentation of the API."),
  message: z.string().max(32_768).describe("For people."),
  lastTransitionTime: z.string().meta({ format: "date-time" }),
  observedGeneration: z.int().min(0).optional().meta({ format: "int64" }),
});

/** Schema of `spec`, from which the CRD is generated. Limits hold new objects; nothing the reference writes is outside. */
export const specSchema = z
  .object({
    cloudProvider: z.string().max(63).optional().describe("Registry name of the cloud provider."),
    instanceID: z.string().max(2_048).optional().describe("The cloud's id of the instance."),
    token: z
      .string()
      .max(64)
      .regex(/^[a-z0-9-]*$/)
      .optional()
      .describe("Idempotency token of the current attempt, recorded before the cloud is asked."),
    earlierTokens: z
      .array(
        z
          .string()
          .max(64)
          .regex(/^[a-z0-9-]+$/),
      )
      .max(32)
      .optional()
      .describe("Tokens of earlier attempts that may have left something in the cloud."),
    sandboxID: z.string().max(128).optional().describe("Id of the sandbox that the instance was made for."),
    nodeName: z.string().max(253).optional().describe("Worker node whose daemon asked for the instance."),
  })
  .describe("What the cloud was asked for.");

/** Schema of `status`. */
export const statusSchema = z
  .object({
    phase: z
      .enum(["Requested", "Created", "Running", "Stopping", "Failed", "Deleting", "Stuck"])
      .optional()
      .describe("One word for people."),
    observedGeneration: z.int().min(0).optional().meta({ format: "int64" }),
    conditions: z
      .array(condition)
      .max(16)
      .optional()
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }),
    cleand: z.boolean().optional().describe("Written by nobody; kept from earlier versions."),
  })
  .describe("What is known of the instance.");

/** What is read may have been written under an earlier CRD, so text and lists are taken as they are. */
const read = z.object({
  apiVersion: z.string().default("confidentialcontainers.org/v1alpha1"),
  kind: z.string().default("PeerPod"),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: z.string(),
  }),
  spec: z
    .object({
      cloudProvider: z.string().optional(),
      instanceID: z.string().optional(),
      token: z.string().optional(),
      earlierTokens: z.array(z.string()).optional(),
      sandboxID: z.string().optional(),
      nodeName: z.string().optional(),
    })
    .prefault({}),
  status: statusSchema.catch({}).prefault({}),
});

/**
 * A PeerPod as the API server gave it; missing parts are empty, unknown fields are dropped, managed fields too.
 * @throws z.ZodError when it is none.
 */
export function parsePeerPod(input: unknown): PeerPod {
  const { metadata, ...rest } = read.parse(input);
  // A third of an object's size, and nobody reads them here.
  const { managedFields: _, ...kept } = metadata;
  return { ...rest, metadata: kept as unknown as ObjectMeta } as PeerPod;
}
