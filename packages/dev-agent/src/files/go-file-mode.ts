/** Bits of Go's os.FileMode, in which the shim sends `dir_mode`; below them the permissions are as in POSIX. */
const goBits = [
  { go: 1 << 23, posix: 0o4000 },
  { go: 1 << 22, posix: 0o2000 },
  { go: 1 << 20, posix: 0o1000 },
] as const;

/** POSIX permission bits (07777) of a Go file mode; the type bits are dropped. */
export function permissionsOfGoMode(mode: number): number {
  return goBits.reduce(
    (permissions, { go, posix }) => ((mode & go) === 0 ? permissions : permissions | posix),
    mode & 0o777,
  );
}
