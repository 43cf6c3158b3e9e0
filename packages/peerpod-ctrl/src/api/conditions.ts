/**
 * Conditions of a PeerPod, and what each says. The daemon writes `Created` and `Running`, the controller `Deleting` and
 * `Deleted`; nobody writes the other's. A condition that is absent has not been reached.
 *
 * | type | status | reason | meaning |
 * |---|---|---|---|
 * | Created | False | InstanceRequested | the intent is recorded, the cloud has been or will be asked |
 * | Created | False | CreationFailed | the cloud refused; the message says why |
 * | Created | True | InstanceCreated | the instance exists, its id is in `spec.instanceID` |
 * | Running | True | SandboxStarted | the pod's sandbox runs in the instance |
 * | Running | False | SandboxStopped | the pod has ended, the instance is being deleted |
 * | Running | False | StartFailed | the instance was made, but the sandbox did not start; the message says why |
 * | Deleting | True | DeletionRequested | the cloud has been asked and has not confirmed yet |
 * | Deleting | True | CloudUnavailable | the cloud failed to delete it; tried again |
 * | Deleting | True | InvalidConfig | credentials or options do not allow it; tried again, at once when they change |
 * | Deleting | False | UnsupportedProvider | this controller has no such provider; not tried again until the object or the configuration changes |
 * | Deleting | False | MalformedInstanceID | no instance can have this id; not tried again |
 * | Deleting | False | ForeignInstance | the instance belongs to something else; not tried again |
 * | Deleting | False | ForeignCluster | the PeerPod says it is another cluster's; not tried again |
 * | Deleted | True | InstanceDeleted | the cloud has confirmed that nothing is left |
 */

export type ConditionType = "Created" | "Running" | "Deleting" | "Deleted";

export type ConditionReason =
  | "InstanceRequested"
  | "CreationFailed"
  | "InstanceCreated"
  | "SandboxStarted"
  | "SandboxStopped"
  | "StartFailed"
  | "DeletionRequested"
  | "CloudUnavailable"
  | "InvalidConfig"
  | "UnsupportedProvider"
  | "MalformedInstanceID"
  | "ForeignInstance"
  | "ForeignCluster"
  | "InstanceDeleted";

/** A condition in the form of `metav1.Condition`. */
export interface Condition {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: ConditionReason;
  /** For people. At most 32768 characters. */
  readonly message: string;
  /** When `status` last changed; RFC 3339 with seconds. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/**
 * The conditions with one set. `lastTransitionTime` stays where the status does; when nothing changes, the very same array
 * is returned, so the caller can leave out the write.
 */
export function setCondition(
  conditions: readonly Condition[],
  condition: Omit<Condition, "lastTransitionTime">,
  now: Date,
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === condition.type);
  if (
    before?.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message &&
    before.observedGeneration === condition.observedGeneration
  )
    return conditions;
  const lastTransitionTime =
    before?.status === condition.status
      ? before.lastTransitionTime
      : now.toISOString().replace(/\.\d+Z$/, "Z");
  return [
    ...conditions.filter(({ type }) => type !== condition.type),
    { ...condition, message: condition.message.slice(0, 32_768), lastTransitionTime },
  ];
}
