import type { Spec } from "@peerpods/kata-protocols/oci";
import type { ImageCommand } from "../image/image-command.ts";

/**
 * A specification whose command is replaced: the pause container runs what the VM's pause bundle says, whatever the
 * worker's pause image would have run.
 */
export function withArgs(spec: Spec, args: readonly string[]): Spec {
  return spec.Process === undefined ? spec : { ...spec, Process: { ...spec.Process, Args: [...args] } };
}

/**
 * A specification without a command gets the image's, with the image's variables below its own and the image's
 * directory if it names none. One with a command is left as it is: then the worker has merged the two.
 */
export function withImageCommand(spec: Spec, image: ImageCommand): Spec {
  const { Process: process } = spec;
  if (process === undefined || process.Args.length > 0) return spec;
  const given = new Set(process.Env.map(nameOf));
  const env = [...image.env.filter((variable) => !given.has(nameOf(variable))), ...process.Env];
  const cwd = ["", "/"].includes(process.Cwd) ? image.cwd : process.Cwd;
  return { ...spec, Process: { ...process, Args: [...image.args], Env: env, Cwd: cwd } };
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}
