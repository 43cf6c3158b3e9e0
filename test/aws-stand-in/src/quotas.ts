import { Ec2Error } from "./ec2-error.ts";

/** AWS Service Quotas in its JSON protocol: one call, GetServiceQuota, of the service `ec2`. */
export class Quotas {
  /** vCPUs by quota code. Those of machines like `m6a.large` and of ones with GPUs are there from the start. */
  readonly values = new Map([
    ["L-1216C47A", 1_152],
    ["L-DB2E81BA", 0],
    ["L-34B43A08", 640],
  ]);

  /** @throws Ec2Error `NoSuchResourceException`, `IllegalArgumentException`. */
  answer(action: string, body: string): string {
    const { ServiceCode, QuotaCode, ...more } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (action !== "GetServiceQuota" || ServiceCode !== "ec2" || Object.keys(more).length > 0)
      throw new Ec2Error("IllegalArgumentException", `not a request of ${action} for ec2: ${body}`);
    const Value = this.values.get(String(QuotaCode));
    if (Value === undefined)
      throw new Ec2Error("NoSuchResourceException", `The quota ${String(QuotaCode)} does not exist.`);
    return JSON.stringify({ Quota: { ServiceCode, QuotaCode, Value, Unit: "None", Adjustable: true } });
  }
}

/** The action in a header like `ServiceQuotasV20190624.GetServiceQuota`, or `undefined` for a call of EC2. */
export function quotasAction(target: unknown): string | undefined {
  return typeof target === "string" ? /^ServiceQuotasV20190624\.(\w+)$/.exec(target)?.[1] : undefined;
}

export function errorJson({ code, message }: Ec2Error): string {
  return JSON.stringify({ __type: code, Message: message });
}
