/**
 * Version of `peerpods.control.v1` spoken here; grows by one with each change that the other side can notice.
 * 1: Info, ListSandboxes, WatchSandboxes. 2: GuestLogs, Options, RecentLog, VerifyProvider.
 */
export const CONTROL_PROTOCOL = 2;

/** Where the daemon's control socket is unless it was told otherwise. */
export const DEFAULT_CONTROL_SOCKET = "/run/peerpod/control.sock";
