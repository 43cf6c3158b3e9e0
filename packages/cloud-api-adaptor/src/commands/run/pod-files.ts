import type { PodFile } from "../../shim-client/index.ts";

/** The files that kubelet gives every container: hosts, hostname and resolv.conf, in the order the shim copies them. */
export function podFiles(pod: {
  readonly hostname: string;
  readonly address: string | undefined;
  readonly dns: readonly string[];
}): readonly PodFile[] {
  const own = pod.address === undefined ? "" : `${pod.address}\t${pod.hostname}\n`;
  return [
    file("/etc/hosts", `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n${own}`),
    file("/etc/hostname", `${pod.hostname}\n`),
    file("/etc/resolv.conf", pod.dns.map((line) => `${line}\n`).join("")),
  ];
}

function file(destination: string, text: string): PodFile {
  return { destination, content: Buffer.from(text) };
}
