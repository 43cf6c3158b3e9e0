import type { InstanceSpec } from "../contract.ts";
import { ProviderError } from "../errors.ts";

/** A machine type as the cloud describes it. */
export interface InstanceType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** As in {@link InstanceSpec}; absent or empty: not known, fits every wish. */
  readonly arch?: string;
}

/** What may be chosen from. */
export interface InstanceTypeChoice {
  /** Types with their sizes, in any order. */
  readonly catalog: readonly InstanceType[];
  /** Names that may be used; when empty, only `defaultType`. */
  readonly allowed: readonly string[];
  readonly defaultType: string;
}

/** The part of a spec that decides about the type. */
export type TypeWish = Pick<InstanceSpec, "instanceType" | "vcpus" | "memoryMiB" | "gpus" | "arch">;

/**
 * Type names that satisfy a spec, best first, at least one.
 *
 * A type that the spec names is the only candidate. Else GPUs, vCPUs or memory asked for give every type that has at
 * least as much, the smallest first (GPUs, then memory, then vCPUs); types with GPUs are left out unless GPUs are asked for.
 * Else it is the default type, whatever `allowed` says. The reference asks for vCPUs *and* memory before it looks at
 * sizes, and its binary search misses fits that this scan finds.
 * @throws ProviderError `invalid_request` when the named type is not allowed or nothing fits.
 */
export function selectInstanceTypes(wish: TypeWish, choice: InstanceTypeChoice): readonly string[] {
  const usable = choice.allowed.length > 0 ? choice.allowed : [choice.defaultType];
  if (wish.instanceType !== "") {
    if (usable.includes(wish.instanceType)) return [wish.instanceType];
    throw new ProviderError(
      "invalid_request",
      `instance type ${JSON.stringify(wish.instanceType)} is not allowed; allowed are ${usable.join(", ")}`,
    );
  }
  if (wish.gpus <= 0 && wish.vcpus <= 0 && wish.memoryMiB <= 0) return [choice.defaultType];
  const fits = sortInstanceTypes(choice.catalog).filter(
    (type) => usable.includes(type.name) && fitsIn(wish, type),
  );
  if (fits.length > 0) return fits.map(({ name }) => name);
  const asked = `${wish.vcpus} vCPUs, ${wish.memoryMiB} MiB, ${wish.gpus} GPUs${wish.arch === "" ? "" : `, ${wish.arch}`}`;
  throw new ProviderError(
    "invalid_request",
    `no allowed instance type has ${asked}; allowed are ${usable.join(", ")}`,
  );
}

/** A copy in ascending order of GPUs, then memory, then vCPUs. */
export function sortInstanceTypes(types: readonly InstanceType[]): readonly InstanceType[] {
  return types.toSorted(
    (a, b) => a.gpus - b.gpus || a.memoryMiB - b.memoryMiB || a.vcpus - b.vcpus || compare(a.name, b.name),
  );
}

function fitsIn(wish: TypeWish, type: InstanceType): boolean {
  const { arch = "" } = type;
  return (
    (wish.gpus > 0 ? type.gpus >= wish.gpus : type.gpus === 0) &&
    type.vcpus >= wish.vcpus &&
    type.memoryMiB >= wish.memoryMiB &&
    (arch === "" || wish.arch === "" || arch === wish.arch)
  );
}

/** Full ties in one order on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
