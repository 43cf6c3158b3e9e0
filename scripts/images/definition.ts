import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const schema = z.strictObject({
  name: z.string(),
  /** Programs of ours: name in the image -> source file in the package. */
  bundles: z.record(z.string(), z.string()),
  /** Debian's programs that they start. */
  programs: z.array(z.string()),
  /** Providers whose own programs go in, if they are built in. */
  providersWithPrograms: z.array(z.string()),
  user: z.string().regex(/^\d+:\d+$/),
  entrypoint: z.array(z.string()),
  env: z.record(z.string(), z.string()),
});

/** What an image is made of: `deploy/image.json` of the package that it installs. */
export type ImageDefinition = z.infer<typeof schema>;

export async function readDefinition(packageDirectory: string): Promise<ImageDefinition> {
  return schema.parse(JSON.parse(await readFile(join(packageDirectory, "deploy/image.json"), "utf8")));
}

/** What providers start besides, and the Debian package that has it. */
export const programsOfProviders: Readonly<Record<string, readonly string[]>> = {
  libvirt: ["virsh", "ssh"],
  // Everything a pod VM out of namespaces takes; an image for trying out only.
  local: [
    ...["sh", "ldd", "bash", "mount", "umount", "setpriv", "flock", "busybox", "crun", "umoci", "skopeo"],
    ...["mkfifo", "stty", "hostname", "cp", "script", "cat", "sleep", "env", "true", "mkdir", "rmdir", "rm"],
    ...["ls", "ln", "mv", "chmod", "chown", "touch", "readlink", "mknod", "chroot", "dirname", "basename"],
  ],
};
