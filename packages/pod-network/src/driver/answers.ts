import * as z from "zod";

/** The parts of iproute2's JSON answers that are used here. */

const link = z.object({
  ifname: z.string(),
  mtu: z.number(),
  address: z.string().default(""),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_data: z
        .object({ id: z.number().optional(), remote: z.string().optional(), port: z.number().optional() })
        .optional(),
    })
    .optional(),
  addr_info: z
    .array(
      z.object({
        family: z.string(),
        local: z.string().optional(),
        prefixlen: z.number(),
        scope: z.string().optional(),
      }),
    )
    .default([]),
});

const route = z.object({
  type: z.string().default("unicast"),
  dst: z.string(),
  gateway: z.string().optional(),
  via: z.object({ family: z.string(), host: z.string() }).optional(),
  dev: z.string().optional(),
  // iproute2 leaves out what is usual: protocol boot, scope global, metric 0.
  protocol: z.string().default("boot"),
  scope: z.string().default("global"),
  metric: z.number().default(0),
  prefsrc: z.string().optional(),
  metrics: z.array(z.object({ mtu: z.number().optional() })).default([]),
  nexthops: z.array(z.object({ gateway: z.string().optional(), dev: z.string().optional() })).default([]),
});

const neighbor = z.object({ dst: z.string(), dev: z.string().optional(), lladdr: z.string().optional() });

export type LinkAnswer = z.output<typeof link>;
export type RouteAnswer = z.output<typeof route>;
export type NeighborAnswer = z.output<typeof neighbor>;

/** Answer of `ip link show` or `ip addr show`. iproute2 pads filtered lists with empty objects. */
export function readLinks(answer: unknown): readonly LinkAnswer[] {
  return z
    .array(z.unknown())
    .parse(answer)
    .flatMap((item) => (isEmpty(item) ? [] : [link.parse(item)]));
}

/** Answer of `ip route show` or `ip route get`. */
export function readRoutes(answer: unknown): readonly RouteAnswer[] {
  return z.array(route).parse(answer);
}

/** Answer of `ip neigh show`. */
export function readNeighbors(answer: unknown): readonly NeighborAnswer[] {
  return z.array(neighbor).parse(answer);
}

function isEmpty(item: unknown): boolean {
  return typeof item === "object" && item !== null && Object.keys(item).length === 0;
}
