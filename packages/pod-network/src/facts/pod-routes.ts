import { type PodRoute, type RouteProtocol, parseCidr } from "@peerpods/podvm-contract";
import type { RouteAnswer } from "../driver/answers.ts";
import { PodNetworkError } from "../errors.ts";
import { ipv4Value } from "./ipv4.ts";

/** Routes of these origins describe the pod network; others belong to routing daemons. The order breaks ties. */
const protocols: readonly RouteProtocol[] = ["static", "boot", "dhcp", "kernel"];
const scopes = { global: "universe", site: "site", link: "link", host: "host", nowhere: "nowhere" } as const;

export interface PodRoutes {
  readonly routes: readonly PodRoute[];
  /** What the VM cannot be told, each with its reason. */
  readonly omitted: readonly string[];
}

/**
 * The routes of a pod's namespace that its VM shall have, ordered by destination, prefix length and metric, the
 * default route first.
 *
 * The format carries no metric and the VM has no other interface, so of several routes to one destination the one of
 * lowest metric is kept, and routes over other interfaces are left out.
 * @throws PodNetworkError `unsupported` for multipath routes and gateways that are not IPv4
 */
export function podRoutes(answers: readonly RouteAnswer[], podInterface: string): PodRoutes {
  const omitted: string[] = [];
  const routes = new Map<string, PodRoute>();
  const leaveOut = (answer: RouteAnswer, reason: string) => omitted.push(`route ${answer.dst}: ${reason}`);
  for (const { answer, dst, protocol } of ordered(answers)) {
    if (answer.type !== "unicast") leaveOut(answer, `type ${answer.type}`);
    else if (protocol === undefined) leaveOut(answer, `protocol ${answer.protocol}`);
    else if (answer.nexthops.length > 0 || answer.via !== undefined) throw unsupported(answer);
    else if (answer.dev !== podInterface) leaveOut(answer, `over ${answer.dev ?? "no device"}`);
    else if (routes.has(dst)) leaveOut(answer, "another route to it has a lower metric");
    else routes.set(dst, podRoute(answer, dst, protocol));
  }
  return { routes: [...routes.values()], omitted };
}

function podRoute(answer: RouteAnswer, dst: string, protocol: RouteProtocol): PodRoute {
  const scope = Object.entries(scopes).find(([name]) => name === answer.scope)?.[1];
  return {
    dst,
    gw: answer.gateway,
    dev: answer.dev,
    protocol,
    scope: scope === "universe" ? undefined : scope,
  };
}

function ordered(answers: readonly RouteAnswer[]) {
  return answers
    .map((answer) => ({
      answer,
      dst: destination(answer.dst),
      protocol: protocols.find((protocol) => protocol === answer.protocol),
    }))
    .toSorted(
      (a, b) =>
        ipv4Value(addressOf(a.dst)) - ipv4Value(addressOf(b.dst)) ||
        lengthOf(a.dst) - lengthOf(b.dst) ||
        a.answer.metric - b.answer.metric ||
        rank(a.protocol) - rank(b.protocol),
    );
}

function destination(dst: string): string {
  if (dst === "default") return "0.0.0.0/0";
  return dst.includes("/") ? dst : `${dst}/32`;
}

function addressOf(dst: string): string {
  return parseCidr(dst)?.address ?? "0.0.0.0";
}

function lengthOf(dst: string): number {
  return parseCidr(dst)?.prefixLength ?? 0;
}

function rank(protocol: RouteProtocol | undefined): number {
  return protocol === undefined ? protocols.length : protocols.indexOf(protocol);
}

function unsupported({ dst }: RouteAnswer): PodNetworkError {
  return new PodNetworkError(
    "unsupported",
    `route ${dst} of the pod has several next hops or one that is not IPv4; peer pods carry one IPv4 gateway a route`,
  );
}
