import { expect, test } from "vitest";
import { permissionsOfGoMode } from "./go-file-mode.ts";

test.each([
  [2147484136, 0o750, "the directory mode that the shim sends"],
  [0o777, 0o777, "plain permissions"],
  [0x80000000 + (1 << 20) + 0o777, 0o1777, "Go's sticky bit"],
  [(1 << 23) + (1 << 22) + 0o755, 0o6755, "Go's setuid and setgid bits"],
  [0o7000, 0, "POSIX' own bits mean something else in Go"],
])("%d is 0%s: %s", (go, posix) => {
  expect(permissionsOfGoMode(go)).toBe(posix);
});
