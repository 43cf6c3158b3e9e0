import { peerPodCrd } from "../../api/crd.ts";
import { fill } from "../slot.ts";
import type { InstallFacts } from "../values.ts";
import { adaptor } from "./adaptor.ts";
import { configuration } from "./configuration.ts";
import { controller } from "./controller.ts";
import type { KubeObject, Part } from "./kube-object.ts";
import { relay } from "./relay.ts";
import { runtimeClass } from "./runtime-class.ts";

/** The files of the chart's templates, each with its objects in the order in which they are made. */
export const groups: Readonly<Record<string, readonly Part[]>> = {
  configuration,
  controller,
  relay,
  adaptor,
  // Last: from now on pods may ask for it.
  "runtime-class": runtimeClass,
};

/** All objects of an installation, in the order in which they are made, the namespace and the CRD first. */
export function installObjects(facts: InstallFacts): readonly KubeObject[] {
  const filled = Object.values(groups)
    .flat()
    .filter(({ when }) => when?.read(facts) ?? true)
    .map(({ object }) => fill(object, facts));
  return [
    namespaceObject(facts.namespace),
    peerPodCrd() as unknown as KubeObject,
    ...(filled as KubeObject[]),
  ];
}

/** Daemon and relay use the node's network and directories, which only the level `privileged` of pod security allows. */
function namespaceObject(name: string): KubeObject {
  const labels = { "pod-security.kubernetes.io/enforce": "privileged" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}
