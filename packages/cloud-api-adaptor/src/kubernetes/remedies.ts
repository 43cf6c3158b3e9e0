/** What a person can do when a start failed, by the code of its error. Codes of provider, relay and pod network. */
const remedies: Readonly<Record<string, string>> = {
  invalid_request: "correct what the pod asks for: machine type, image, size, initdata",
  invalid_config: "correct the provider's options (`peerpods doctor` checks them) and restart the daemon",
  unauthorized: "give the daemon credentials that allow the call; `peerpods doctor` names what is missing",
  not_found: "create what the options name (image, network, subnet), or name another",
  no_capacity:
    "allow more machine types or zones in the provider's options, or wait; the kubelet tries again",
  quota_exceeded: "have the account's limit raised, or delete machines that are not needed",
  throttled: "nothing need be done unless this goes on: the kubelet tries again",
  unavailable: "nothing need be done unless this goes on: the kubelet tries again",
  timeout: "nothing need be done unless this goes on: the kubelet tries again",
  circuit_open: "see the failures before this one; it is tried again by itself",
  aborted: "nothing need be done: the kubelet tries again if the pod is still wanted",
  conflict: "nothing need be done: the kubelet tries again with another VM",
  unreachable:
    "look at what the guest wrote (`peerpods logs <pod>`), and whether the node may reach the VM's forwarder port",
  refused:
    "use a pod VM image whose TLS settings fit this daemon's; `peerpods logs <pod>` shows what the guest says",
  journal: "make room on the disk of the daemon's state directory",
};

/** For codes that are not in the list: where to look. */
const elsewhere = "see the daemon's log on this node";

/** What to do about a failed start. */
export function remedyOf(code: string | undefined): string {
  return (code === undefined ? undefined : remedies[code]) ?? elsewhere;
}
