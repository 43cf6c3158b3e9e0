/** One line of `/proc/<pid>/mountinfo`; see proc_pid_mountinfo(5). */
export interface Mount {
  readonly mountPoint: string;
  readonly fsType: string;
  readonly superOptions: readonly string[];
}

/** Reads the text of a `mountinfo` file. Lines of another form are skipped: newer kernels may add some. */
export function parseMountInfo(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left, right] = line.split(" - ");
    const mountPoint = left?.split(" ")[4];
    const [fsType, , superOptions] = right?.split(" ") ?? [];
    if (mountPoint === undefined || fsType === undefined || superOptions === undefined) return [];
    return [{ mountPoint: unescapeOctal(mountPoint), fsType, superOptions: superOptions.split(",") }];
  });
}

/** Those mounts that can be reached: another one on top of a directory above hides what was mounted there before. */
export function visibleMounts(mounts: readonly Mount[]): Mount[] {
  return mounts.filter(
    ({ mountPoint }, index) =>
      !mounts
        .slice(index + 1)
        .some((later) => later.mountPoint !== "/" && `${mountPoint}/`.startsWith(`${later.mountPoint}/`)),
  );
}

/** The kernel writes blanks, tabs, newlines and backslashes in paths as `\040` and so on. */
function unescapeOctal(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
