import { z } from "zod";

/**
 * What is read of the answers of IBM Cloud, and nothing more. Names and values are those of the VPC API (version 2026-10-06,
 * generation 2) and of the global tagging API.
 */

const reference = z.object({ id: z.string() });
const named = z.object({ name: z.string() });

export const networkInterfaceSchema = z.object({
  id: z.string(),
  name: z.string(),
  primary_ip: z.object({ address: z.string() }).optional(),
});

export const instanceSchema = z.object({
  id: z.string(),
  crn: z.string(),
  name: z.string(),
  created_at: z.string().optional(),
  status: z.string(),
  status_reasons: z.array(z.object({ code: z.string(), message: z.string() })).default([]),
  profile: named.optional(),
  zone: named.optional(),
  boot_volume_attachment: z.object({ volume: reference.optional() }).optional(),
  volume_attachments: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        volume: reference.optional(),
        device: reference.optional(),
      }),
    )
    .default([]),
  primary_network_interface: networkInterfaceSchema.optional(),
  network_interfaces: z.array(networkInterfaceSchema).default([]),
});
export type VpcInstance = z.infer<typeof instanceSchema>;

const page = { next: z.object({ href: z.string() }).optional() };

export const instancesSchema = z.object({ ...page, instances: z.array(instanceSchema) });

export const volumeSchema = z.object({
  id: z.string(),
  status: z.string(),
  attachment_state: z.string().optional(),
  user_tags: z.array(z.string()).default([]),
  volume_attachments: z.array(z.object({ type: z.string(), instance: reference.optional() })).default([]),
});
export type VpcVolume = z.infer<typeof volumeSchema>;

export const volumesSchema = z.object({ ...page, volumes: z.array(volumeSchema) });

export const imageSchema = z.object({
  id: z.string(),
  status: z.string(),
  operating_system: z.object({ name: z.string(), architecture: z.string() }).optional(),
});

const fixed = <Value extends z.ZodType>(value: Value) =>
  z.object({ type: z.string(), value: value.optional() });

export const profileSchema = z.object({
  name: z.string(),
  vcpu_count: fixed(z.number()),
  memory: fixed(z.number()),
  vcpu_architecture: fixed(z.string()),
  gpu_count: fixed(z.number()).optional(),
  confidential_compute_modes: z.object({ values: z.array(z.string()).default([]) }).optional(),
  secure_boot_modes: z.object({ values: z.array(z.boolean()).default([]) }).optional(),
});
export type VpcProfile = z.infer<typeof profileSchema>;

export const subnetSchema = z.object({
  id: z.string(),
  available_ipv4_address_count: z.number(),
  vpc: reference,
  zone: named,
  resource_group: reference.optional(),
});
export type VpcSubnet = z.infer<typeof subnetSchema>;

export const securityGroupSchema = z.object({ id: z.string(), name: z.string(), vpc: reference });
export const keySchema = z.object({ id: z.string() });
export const dedicatedHostSchema = z.object({ id: z.string(), zone: named });

export const tagsSchema = z.object({ items: z.array(named).default([]) });
export const tagResultsSchema = z.object({
  results: z.array(
    z.object({ resource_id: z.string(), is_error: z.boolean().optional(), message: z.string().optional() }),
  ),
});

/** Inferred: the reference reads id and name of each. */
export const clusterSecurityGroupsSchema = z.array(z.object({ id: z.string(), name: z.string() }));

/** Of a deletion. */
export const nothingSchema = z.unknown();
