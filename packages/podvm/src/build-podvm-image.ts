#!/usr/bin/env node
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildPodVMImage, ImageError, kernelArguments } from "./image/index.ts";
import { versionText } from "./version.ts";

const program = "build-podvm-image";
const BUILD_TIMEOUT_MS = 900_000;

const help = `Builds a pod VM image: a kernel, and an initrd that is the whole system.

Usage:
  ${program} --output DIRECTORY --agent PATH/dev-agent.mjs [options]

Options:
      --output DIRECTORY        where vmlinuz and initrd are written
      --agent FILE              built dev-agent.mjs
      --images DIRECTORY        OCI layouts by name, for containers that need no registry
      --kernel-package NAME     Debian package, default ${defaultKernelPackage()}
      --guest-dir DIRECTORY     built guest programs, default those beside this program
  -v, --version                 print the version
  -h, --help                    print this text
`;

const options = {
  output: { type: "string", default: "" },
  agent: { type: "string", default: "" },
  images: { type: "string", default: "" },
  "kernel-package": { type: "string", default: defaultKernelPackage() },
  "guest-dir": { type: "string", default: fileURLToPath(new URL("../bundle", import.meta.url)) },
  version: { type: "boolean", short: "v", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  if (values.version) return void process.stdout.write(versionText(program));
  if (values.help) return void process.stdout.write(help);
  for (const name of ["output", "agent"] as const)
    if (values[name] === "") throw new ImageError(`--${name} is missing; see ${program} --help`);
  for (const path of [values.agent, values["guest-dir"], values.images].filter((one) => one !== ""))
    await access(path).catch(() => {
      throw new ImageError(`${path} does not exist; build the guest programs with \`pnpm build\``);
    });
  const recipe = {
    kernelPackage: values["kernel-package"],
    guestDirectory: values["guest-dir"],
    agent: values.agent,
    images: values.images,
  };
  const signal = AbortSignal.timeout(BUILD_TIMEOUT_MS);
  const { kernel, initrd, version } = await buildPodVMImage(recipe, { directory: values.output, signal });
  process.stdout.write(
    `version      ${version}\nkernel       ${kernel}\ninitrd       ${initrd}\ncommand line ${kernelArguments}\n`,
  );
}

/** The flavour without drivers for hardware that no VM has. */
function defaultKernelPackage(): string {
  return `linux-image-cloud-${process.arch === "x64" ? "amd64" : process.arch}`;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
