import type { Slot, Condition } from "../slot.ts";

/** An object that is installed, with {@link Slot}s in it. */
export interface ObjectTemplate {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string | Slot<string>;
    readonly namespace?: Slot<string>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** One object of an installation and when it is part of it; absent: always. */
export interface Part {
  readonly object: ObjectTemplate;
  readonly when?: Condition;
}

/** An object as the API server takes it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}
