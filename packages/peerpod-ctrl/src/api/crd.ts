import * as z from "zod";
import { GROUP, KIND, PLURAL, VERSION } from "./names.ts";
import { specSchema, statusSchema } from "./peerpod.ts";

/** The CustomResourceDefinition of PeerPod, as `kubectl apply` takes it. */
export function peerPodCrd(): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind: KIND, listKind: `${KIND}List`, plural: PLURAL, singular: KIND.toLowerCase() },
      scope: "Namespaced",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: printerColumns,
          schema: {
            openAPIV3Schema: {
              description:
                "The record of one pod VM: it holds its object until the cloud has confirmed that the VM is gone.",
              type: "object",
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: structural(specSchema),
                status: structural(statusSchema),
              },
            },
          },
          subresources: { status: {} },
        },
      ],
    },
  };
}

const printerColumns = [
  { name: "Pod", type: "string", jsonPath: ".metadata.ownerReferences[0].name" },
  { name: "Phase", type: "string", jsonPath: ".status.phase" },
  { name: "Provider", type: "string", jsonPath: ".spec.cloudProvider" },
  { name: "Instance", type: "string", jsonPath: ".spec.instanceID" },
  { name: "Node", type: "string", jsonPath: ".spec.nodeName" },
  {
    name: "Reason",
    type: "string",
    priority: 1,
    jsonPath: '.status.conditions[?(@.type=="Deleting")].reason',
  },
  {
    name: "Message",
    type: "string",
    priority: 1,
    jsonPath: '.status.conditions[?(@.type=="Deleting")].message',
  },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

/** JSON Schema as CRDs take it: structural, and without what only JSON Schema knows. */
function structural(schema: z.ZodType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return strip(rest);
}

function strip(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strip);
  if (typeof node !== "object" || node === null) return node;
  // Unknown fields are pruned by the server; forbidding them is not structural. zod's bounds of integers are JavaScript's.
  const entries = Object.entries(node).filter(
    ([key, value]) =>
      key !== "additionalProperties" && !(key === "maximum" && value === Number.MAX_SAFE_INTEGER),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, strip(value)]));
}
