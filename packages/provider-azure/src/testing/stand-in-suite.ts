import { startAzureStandIn, type AzureStandIn, type AzureStandInOptions } from "@peerpods/azure-stand-in";
import { afterAll, beforeAll, describe } from "vitest";

/** A suite with an Azure of its own. */
export function describeWithAzure(
  name: string,
  define: (standIn: () => AzureStandIn) => void,
  options: AzureStandInOptions = {},
): void {
  describe(name, () => {
    let standIn: AzureStandIn | undefined;
    beforeAll(async () => {
      standIn = await startAzureStandIn(options);
    });
    afterAll(async () => {
      await standIn?.[Symbol.asyncDispose]();
    });
    define(() => {
      if (standIn === undefined) throw new Error("the stand-in was not started");
      return standIn;
    });
  });
}
