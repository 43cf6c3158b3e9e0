import type { Finding } from "../../contract.ts";
import { ensure, expectFailure, type Rule } from "../rule.ts";

/** Configuration and what is said of it. */
export const configurationRules: readonly Rule[] = [
  {
    id: "verifier-content",
    title: "A configuration that works has no errors, and each finding names subject and remedy",
    source: "contract, Provider.configVerifier",
    async run(bench) {
      const findings = await (await bench.provider()).configVerifier(bench.call());
      bench.hear(findings);
      const errors = findings.filter(({ severity }) => severity === "error");
      ensure(errors.length === 0, `it says: ${errors.map(({ message }) => message).join("; ")}`);
      checkForm(findings);
    },
  },
  {
    id: "verifier-complains",
    title: "A configuration that cannot work is found out before anything is made, with a remedy",
    source: "contract, Provider.configVerifier",
    needs: ["badConnections"],
    async run(bench) {
      for (const [what, connect] of Object.entries(bench.target.badConnections ?? {})) {
        const provider = await connect();
        try {
          const findings = await provider.configVerifier(bench.call());
          bench.hear(findings);
          ensure(
            findings.some(({ severity }) => severity === "error"),
            `nothing is said of: ${what}`,
          );
          checkForm(findings);
        } finally {
          await provider.teardown();
        }
      }
    },
  },
  {
    id: "configuration-refused",
    title: "A creation with a configuration that cannot work is refused with a code that says so",
    source: "contract, Provider.createInstance",
    needs: ["badConnections"],
    async run(bench) {
      for (const connect of Object.values(bench.target.badConnections ?? {})) {
        const provider = await connect();
        try {
          const creation = provider.createInstance(bench.request(), bench.call());
          bench.hear(
            await expectFailure(creation, ["unauthorized", "invalid_config", "invalid_request", "not_found"]),
          );
        } finally {
          await provider.teardown();
        }
      }
    },
  },
];

/** Comes last: it looks at everything that was said and logged during the run. */
export const secretRules: readonly Rule[] = [
  {
    id: "secrets",
    title: "No secret of the configuration is in any log line, error or finding",
    source: "design, section 7",
    needs: ["secrets"],
    run(bench) {
      const { secrets } = bench.target;
      const places = { "a log line": secrets?.logged() ?? [], "an error or finding": bench.shared.said };
      for (const [place, texts] of Object.entries(places))
        for (const [number, value] of secrets?.values.entries() ?? [])
          ensure(!texts.some((text) => text.includes(value)), `secret ${number + 1} is in ${place}`);
      return Promise.resolve();
    },
  },
];

function checkForm(findings: readonly Finding[]): void {
  for (const { subject, message, remedy } of findings)
    ensure(subject !== "" && message !== "" && remedy !== "", `a finding on ${subject} lacks a part`);
}
