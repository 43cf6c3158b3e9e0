import { join } from "node:path";
import { execa } from "execa";
import { runtimeHandler } from "../stage/containerd-config.ts";

/** The image of all Pods; the node and its pod VMs have it. */
export const IMAGE = "localhost/busybox:latest";

/** Says who it is and what its ConfigMap holds, then serves a page on port 8080. */
export const SERVE = `echo "hello from $(hostname), $GREETING"; cat /etc/settings/motto
mkdir /tmp/www; echo served by a pod VM >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www`;

export interface PodFacts {
  readonly restartPolicy: "Always" | "Never";
  /** Run by a shell. */
  readonly script: string;
  readonly readinessProbe?: object;
}

/** A peer pod with the ConfigMap of {@link settings}. */
export function pod(name: string, facts: PodFacts): string {
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: podSpec(facts) });
}

/** A Deployment of such pods, with the label `app=<name>`. */
export function deployment(name: string, { replicas, ...facts }: PodFacts & { replicas: number }): string {
  const matchLabels = { app: name };
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels },
      template: { metadata: { labels: matchLabels }, spec: podSpec(facts) },
    },
  });
}

/** A ConfigMap whose file `motto` holds this. */
export function settings(motto: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings" },
    data: { motto },
  });
}

/** Of what the installer makes, the objects of these kinds. */
export async function installed(kinds: readonly string[]): Promise<string> {
  const { stdout } = await execa(
    process.execPath,
    ["--conditions=@peerpods/source", "packages/peerpod-ctrl/src/main.ts", "install", "--provider=local"],
    { cwd: join(import.meta.dirname, "../../../..") },
  );
  const isWanted = (object: string) => kinds.some((kind) => object.includes(`\nkind: ${kind}\n`));
  return stdout.split(/^---$/m).filter(isWanted).join("---\n");
}

function podSpec({ restartPolicy, script, readinessProbe }: PodFacts): object {
  return {
    runtimeClassName: runtimeHandler,
    restartPolicy,
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "main",
        image: IMAGE,
        imagePullPolicy: "Never",
        command: ["/bin/sh", "-c", script],
        env: [{ name: "GREETING", value: "hi" }],
        readinessProbe,
        volumeMounts: [{ name: "settings", mountPath: "/etc/settings" }],
      },
    ],
    volumes: [{ name: "settings", configMap: { name: "settings" } }],
  };
}
