import { invalidArgument } from "./errors.ts";

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * Checks an id that is going to be a part of paths and of command lines.
 * @throws ConnectError INVALID_ARGUMENT
 */
export function checkId(kind: string, id: string): string {
  if (ID.test(id)) return id;
  throw invalidArgument(
    `${kind} ${JSON.stringify(id.slice(0, 140))} is not valid: letters, digits, "_", "." and "-", at most 128`,
  );
}
