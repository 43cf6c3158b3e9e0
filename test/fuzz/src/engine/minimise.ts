import { Buffer } from "node:buffer";
import type { OpenTarget } from "../target.ts";
import { runInput } from "./run-input.ts";
import type { Finding } from "./run-input.ts";

const maxTries = 400;

/** Leaves out of a finding what is not needed for it: ever smaller pieces, as long as the same kind of error comes. */
export async function minimise(target: OpenTarget, finding: Finding): Promise<Finding> {
  let smallest = finding;
  let tries = 0;
  for (let size = finding.input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < smallest.input.length && tries < maxTries; tries++) {
      const shorter = Buffer.concat([smallest.input.subarray(0, at), smallest.input.subarray(at + size)]);
      const again = await runInput(target, shorter);
      if (again !== undefined && kindOf(again) === kindOf(finding)) smallest = again;
      else at += size;
    }
  }
  return smallest;
}

/** Numbers and quotations in messages differ from input to input. */
function kindOf({ error }: Finding): string {
  return error instanceof Error
    ? `${error.name}: ${error.message.replaceAll(/\d+|".*?"/g, "*")}`
    : String(error);
}
