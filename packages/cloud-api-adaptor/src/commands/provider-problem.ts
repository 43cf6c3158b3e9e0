import { CommandError, causeLine } from "./command-error.ts";

/** What a person is told when a provider cannot be loaded. Always throws. */
export function providerProblem(error: unknown): never {
  throw new CommandError(causeLine(error), {
    remedy: "peerpods providers lists those that there are; npm install @peerpods/provider-<name> adds one",
    cause: error,
  });
}
