/** A file, directory or link of an image. Paths begin without a slash. */
export type ImageEntry =
  | { readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly path: string; readonly mode: number; readonly directory: true; readonly owner?: number }
  | { readonly path: string; readonly target: string };

const NONROOT = 65_532;

/** The directories, links and users that programs expect of any system. */
export const skeleton: readonly ImageEntry[] = [
  ...["usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local", "usr/local/bin", "etc", "var"].map(
    directory,
  ),
  ...["app", "proc", "sys", "dev", "run", "root", "home", "var/lib"].map(directory),
  { path: "tmp", mode: 0o1777, directory: true },
  { path: "home/nonroot", mode: 0o700, directory: true, owner: NONROOT },
  ...["bin", "sbin", "lib", "lib64"].map((path) => ({ path, target: `usr/${path}` })),
  // The shim names network namespaces by /var/run.
  { path: "var/run", target: "/run" },
  text(
    "etc/passwd",
    `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}::/home/nonroot:/sbin/nologin\n`,
  ),
  text("etc/group", `root:x:0:\nnonroot:x:${NONROOT}:\n`),
  // Name service as glibc has it built in.
  text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
];

function directory(path: string): ImageEntry {
  return { path, mode: 0o755, directory: true };
}

function text(path: string, content: string): ImageEntry {
  return { path, mode: 0o644, content: Buffer.from(content) };
}
