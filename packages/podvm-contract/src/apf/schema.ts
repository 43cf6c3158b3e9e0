import * as z from "zod";
import { formatCidr, isIpAddress, parseCidr } from "../cidr.ts";
import { MAX_VXLAN_ID } from "../defaults.ts";
import { isInterfaceName, isMacAddress } from "../link-names.ts";
import { neighborStates, routeProtocols, routeScopes } from "./config.ts";
import { foldKeys } from "./fold-keys.ts";

const routeSchema = folded({
  // The reference reader takes an empty destination as the default route.
  dst: cidr().transform((dst) => (dst === "" ? "0.0.0.0/0" : dst)),
  gw: address(),
  dev: interfaceName(),
  protocol: z.enum(routeProtocols).optional(),
  scope: z.enum(routeScopes).optional(),
});

const neighborSchema = folded({
  ip: address(),
  "hw-addr": macAddress(),
  dev: interfaceName(),
  state: z.enum(neighborStates).default("none"),
});

const podNetworkSchema = folded({
  podip: cidr(),
  "pod-hw-addr": macAddress(),
  interface: interfaceName(),
  "worker-node-ip": cidr(),
  "tunnel-type": text(),
  routes: z.array(routeSchema).default([]),
  neighbors: z.array(neighborSchema).default([]),
  mtu: integerUpTo(65_535),
  index: integerUpTo(MAX_VXLAN_ID),
  "vxlan-port": integerUpTo(65_535),
  "vxlan-id": integerUpTo(MAX_VXLAN_ID),
  dedicated: z.boolean().default(false),
  "external-net-via-pod-vm": z.boolean().default(false),
});

/** The shape of `apf.json` on disk, after {@link foldKeys}; values are checked, names are still those of the file. */
export const apfSchema = folded({
  "pod-network": podNetworkSchema.optional(),
  "pod-namespace": text(),
  "pod-name": text(),
  "tls-server-key": text(),
  "tls-server-cert": text(),
  "tls-client-ca": text(),
  "tls-min-version": text(),
  "tls-cipher-suites": z.array(z.string()).default([]),
});

function folded<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess((value) => foldKeys(value, Object.keys(shape)), z.object(shape));
}

function text() {
  return z.string().default("");
}

function integerUpTo(maximum: number) {
  return z.int().min(0).max(maximum).default(0);
}

function cidr() {
  return text().transform((value, context) => {
    if (value === "") return value;
    const parsed = parseCidr(value);
    if (parsed !== undefined) return formatCidr(parsed);
    context.addIssue("must be an address with a prefix length, as in 10.244.0.7/24");
    return z.NEVER;
  });
}

function address() {
  return text().refine((value) => value === "" || isIpAddress(value), "must be an IP address");
}

function interfaceName() {
  return text().refine((value) => value === "" || isInterfaceName(value), "must be a network interface name");
}

function macAddress() {
  return text().refine((value) => value === "" || isMacAddress(value), "must be a MAC address");
}
