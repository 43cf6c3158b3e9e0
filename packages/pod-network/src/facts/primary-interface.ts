import type { RouteAnswer } from "../driver/answers.ts";
import { PodNetworkError } from "../errors.ts";

/** The interface that the default route uses. */
export interface PrimaryInterface {
  readonly name: string;
  /** Absent when the default route is on-link. */
  readonly gateway?: string | undefined;
}

/**
 * Chooses the primary interface as the reference does: among the default routes of the main table the one of lowest
 * metric; a later one only if its device has the same name up to the first digit and a smaller number after it, so
 * that `eth0` wins over `eth1` and `ens5` keeps its place against `eth0`.
 * `undefined` when no default route has a device.
 */
export function findPrimaryInterface(routes: readonly RouteAnswer[]): PrimaryInterface | undefined {
  return routes
    .filter(({ dst, type }) => dst === "default" && type === "unicast")
    .toSorted((a, b) => a.metric - b.metric)
    .flatMap(devices)
    .reduce<PrimaryInterface | undefined>(
      (chosen, next) => (chosen === undefined || precedes(next.name, chosen.name) ? next : chosen),
      undefined,
    );
}

/** {@link findPrimaryInterface}, or an error that says where none was found. */
export function requirePrimaryInterface(routes: readonly RouteAnswer[], where: string): PrimaryInterface {
  const primary = findPrimaryInterface(routes);
  if (primary !== undefined) return primary;
  throw new PodNetworkError(
    "no_primary_interface",
    `${where} has no default IPv4 route with a device; its primary interface cannot be told`,
  );
}

function devices({ dev, gateway, nexthops }: RouteAnswer): readonly PrimaryInterface[] {
  return [{ dev, gateway }, ...nexthops].flatMap(({ dev, gateway }) =>
    dev === undefined ? [] : [{ name: dev, gateway }],
  );
}

function precedes(name: string, other: string): boolean {
  const [a, b] = [split(name), split(other)];
  return a.prefix === b.prefix && a.number < b.number;
}

function split(name: string): { readonly prefix: string; readonly number: number } {
  const digits = name.search(/\d/);
  if (digits < 0) return { prefix: name, number: Infinity };
  const rest = name.slice(digits);
  return { prefix: name.slice(0, digits), number: /^\d+$/.test(rest) ? Number(rest) : Infinity };
}
