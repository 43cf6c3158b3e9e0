/** Every span there is; `docs/observability.md` describes each. */
export const spanNames = {
  pod: "peerpods.pod",
  createVM: "hypervisor.CreateVM",
  startVM: "hypervisor.StartVM",
  instance: "peerpods.instance",
  provider: "provider.createInstance",
  tunnel: "peerpods.tunnel",
  connect: "peerpods.connect",
  containers: "peerpods.containers",
} as const;

/** Attributes of spans. */
export const spanAttributes = {
  sandboxId: "peerpods.sandbox.id",
  podName: "k8s.pod.name",
  podNamespace: "k8s.namespace.name",
  instanceId: "peerpods.instance.id",
  provider: "peerpods.provider",
  code: "peerpods.code",
  reason: "peerpods.reason",
} as const;
