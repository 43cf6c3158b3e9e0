import type { InstallFacts } from "./values.ts";

/** A place in an object whose content depends on the values of an installation. */
export class Slot<T = unknown> {
  /** What stands there, when the values are known. */
  readonly read: (facts: InstallFacts) => T;
  /** The same as an expression of a helm template. */
  readonly helm: string;

  constructor(helm: string, read: (facts: InstallFacts) => T) {
    this.helm = helm;
    this.read = read;
  }
}

/** A {@link Slot}: the helm expression, and what it stands for. The test of the chart holds one against the other. */
export function slot<T>(helm: string, read: (facts: InstallFacts) => T): Slot<T> {
  return new Slot(helm, read);
}

/** A condition under which something is installed at all. */
export type Condition = Slot<boolean>;

/** An item of a list that is only there under a condition. */
export class When {
  readonly condition: Condition;
  readonly item: Readonly<Record<string, unknown>>;

  constructor(condition: Condition, item: Readonly<Record<string, unknown>>) {
    this.condition = condition;
    this.item = item;
  }
}

/** `node` with its slots filled, and without items whose condition does not hold. */
export function fill(node: unknown, facts: InstallFacts): unknown {
  if (node instanceof Slot) return node.read(facts);
  if (Array.isArray(node)) return node.flatMap((item) => fillItem(item, facts));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fill(value, facts)]));
}

function fillItem(item: unknown, facts: InstallFacts): readonly unknown[] {
  if (!(item instanceof When)) return [fill(item, facts)];
  return item.condition.read(facts) ? [fill(item.item, facts)] : [];
}
