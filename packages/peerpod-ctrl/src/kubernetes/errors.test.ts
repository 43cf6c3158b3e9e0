import { expect, it } from "vitest";
import { errorFromAnswer, errorFromFailure } from "./errors.ts";

const scope = { verb: "create", group: "confidentialcontainers.org", resource: "peerpods", namespace: "a" };
const forbidden = (causes: object[]) => ({
  status: 403,
  body: JSON.stringify({ message: "peerpods is forbidden", reason: "Forbidden", details: { causes } }),
});

it("tells a right that is missing from a namespace that is being deleted", () => {
  const rbac = errorFromAnswer(scope, forbidden([]));
  expect(rbac).toMatchObject({ code: "forbidden", retryable: false });
  expect(rbac.message).toContain('resources: ["peerpods"], verbs: ["create"]');
  const terminating = errorFromAnswer(scope, forbidden([{ reason: "NamespaceTerminating" }]));
  expect(terminating).toMatchObject({ code: "forbidden" });
  expect(terminating.message).toBe("cannot create peerpods in a: the namespace is being deleted");
});

it("says what went wrong with each address of a name", () => {
  const refused = ["::1", "127.0.0.1"].map((address) => new Error(`connect ECONNREFUSED ${address}:6443`));
  expect(errorFromFailure(scope, new AggregateError(refused)).message).toBe(
    "cannot create peerpods in a: connect ECONNREFUSED ::1:6443, connect ECONNREFUSED 127.0.0.1:6443",
  );
});
