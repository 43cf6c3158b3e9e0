import type { OptionSpec } from "@peerpods/cloud-providers";

const which: OptionSpec = [
  {
    flag: "kubeconfig",
    type: "string",
    help: "Kubeconfig file; default: KUBECONFIG, else the pod's service account, else ~/.kube/config",
  },
  {
    flag: "namespace",
    env: "PEERPODS_NAMESPACE",
    type: "string",
    default: "confidential-containers-system",
    help: "Namespace of the installation",
  },
  { flag: "provider", type: "string", help: "Short for --set provider=..." },
  { flag: "values", type: "list", help: "YAML files with values, as for the chart; later ones count more" },
  { flag: "set", type: "list", help: "Single values, path.to.key=value" },
  { flag: "timeout", type: "duration", default: "5m", help: "Limit of the whole" },
];

/** Options of `peerpod-ctrl install`. */
export const installOptions: OptionSpec = [
  ...which,
  { flag: "apply", type: "bool", default: false, help: "Apply the objects and wait until they are ready" },
];

/** Options of `peerpod-ctrl uninstall`. */
export const uninstallOptions: OptionSpec = [
  ...which,
  {
    flag: "delete-pods",
    type: "bool",
    default: false,
    help: "Delete the pods that still run in VMs; without it they are named and nothing is removed",
  },
  { flag: "keep-crd", type: "bool", default: false, help: "Leave the CustomResourceDefinition" },
];
