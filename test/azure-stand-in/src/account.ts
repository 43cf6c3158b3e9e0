import { FaultPlan } from "@peerpods/test-harness";
import type { Catalog } from "./catalog.ts";
import { Operations } from "./operations.ts";
import type { Resource } from "./resource.ts";

/** How long ARM takes for what it does in the background, in milliseconds of the stand-in's clock. */
export interface Delays {
  /** From the acceptance of a machine to the guest's report that it is ready. */
  readonly createMachine: number;
  /** From the acceptance of a machine to the answer that there is no room for it. */
  readonly allocate: number;
  readonly deleteMachine: number;
  readonly interface: number;
  readonly deleteInterface: number;
  readonly deleteDisk: number;
  readonly address: number;
  readonly deleteAddress: number;
  /** How much later than its machine goes what is deleted with it. */
  readonly cascade: number;
}

/** A subscription with one resource group for pod VMs, and everything in it. */
export class Account {
  readonly subscription: string;
  readonly group: string;
  readonly location: string;
  readonly catalog: Catalog;
  readonly delays: Delays;
  readonly now: () => number;
  readonly faults = new FaultPlan();
  readonly operations: Operations;
  /** By id in lower case. */
  readonly resources = new Map<string, Resource>();
  /** Sizes and zones without room: `<size> <zone>`, refused at once or, in `fullLater`, after the acceptance. */
  readonly full = new Set<string>();
  readonly fullLater = new Set<string>();
  /** Actions of the role that the caller has, with `*`. */
  granted: readonly string[] = ["*"];
  /** vCPUs that the subscription may still use. */
  coresLeft = 10_000;
  /** Addresses that the subnet still has. */
  addressesLeft = 65_000;
  /** How long callers are asked to wait between looks at an operation. */
  retryAfterSeconds = 10;
  /** Of each page of a listing. */
  pageSize = 50;
  #nextAddress = 4;

  constructor(known: Pick<Account, "subscription" | "group" | "location" | "catalog" | "delays" | "now">) {
    this.subscription = known.subscription;
    this.group = known.group;
    this.location = known.location;
    this.catalog = known.catalog;
    this.delays = known.delays;
    this.now = known.now;
    this.operations = new Operations(known.now);
  }

  get(id: string | undefined): Resource | undefined {
    return this.resources.get((id ?? "").toLowerCase());
  }

  put(resource: Resource): void {
    this.resources.set(resource.id.toLowerCase(), resource);
  }

  remove(id: string): void {
    this.resources.delete(id.toLowerCase());
  }

  ofType(type: string): readonly Resource[] {
    return [...this.resources.values()].filter((one) => one.type.toLowerCase() === type.toLowerCase());
  }

  /** @param prefix first two numbers; the rest counts. */
  address(prefix: string): string {
    this.#nextAddress += 1;
    return `${prefix}.${Math.floor(this.#nextAddress / 250) % 250}.${(this.#nextAddress % 250) + 4}`;
  }
}
