import { expect, it } from "vitest";
import { errorFromAnswer } from "./errors.ts";

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
