import { ApiError } from "../api-error.ts";
import type { State, StoredInstance } from "../state.ts";

/** `GET /instances/{id}`: things move on by being looked at, so that a test can count the looks and need not wait. */
export function lookAt(state: State, id: string): StoredInstance {
  const instance = find(state, id);
  instance.looks += 1;
  if (instance.status === "deleting") {
    if (instance.looks <= state.deletingLooks) return instance;
    state.remove(instance);
    throw notFound(id);
  }
  if (instance.status !== "pending" || instance.looks < state.pendingLooks) return instance;
  const full = [`${instance.profile} ${instance.zone}`, instance.target ?? ""].some((key) =>
    state.exhausted.has(key),
  );
  // A zone without room is not refused at once: the instance fails to start.
  instance.status = full ? "failed" : "running";
  instance.reason = full ? "cannot_start_capacity" : "";
  return instance;
}

/** `DELETE /instances/{id}` */
export function deleteInstance(state: State, id: string): void {
  const instance = find(state, id);
  if (instance.status === "deleting")
    throw new ApiError(409, "instance_in_transition", `instance ${id} is deleting`);
  instance.status = "deleting";
  instance.looks = 0;
}

export function listInstances(state: State, query: URLSearchParams): readonly StoredInstance[] {
  const [name, vpc] = [query.get("name"), query.get("vpc.id")];
  return [...state.instances.values()].filter(
    (instance) => (name === null || instance.name === name) && (vpc === null || instance.vpc === vpc),
  );
}

function find(state: State, id: string): StoredInstance {
  const instance = state.instances.get(id);
  if (instance === undefined) throw notFound(id);
  return instance;
}

function notFound(id: string): ApiError {
  return new ApiError(404, "instance_not_found", `instance ${id} does not exist`);
}
