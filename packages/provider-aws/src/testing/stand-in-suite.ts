import { missingMoto, startAwsStandIn, type AwsStandIn } from "@peerpods/aws-stand-in";
import { afterAll, beforeAll, describe } from "vitest";
import { prepareAccount, type AwsAccount } from "./aws-account.ts";

/** What the tests of a suite share. */
export interface StandInSuite {
  readonly standIn: AwsStandIn;
  readonly account: AwsAccount;
}

/** A suite with an EC2 of its own; skipped with the reason where that cannot run. */
export async function describeWithEc2(
  name: string,
  define: (suite: () => StandInSuite) => void,
): Promise<void> {
  const missing = await missingMoto();
  describe.skipIf(missing !== undefined)(missing === undefined ? name : `${name} (${missing})`, () => {
    let suite: StandInSuite | undefined;
    beforeAll(async () => {
      const standIn = await startAwsStandIn();
      suite = { standIn, account: await prepareAccount(standIn) };
    });
    afterAll(async () => {
      await suite?.standIn[Symbol.asyncDispose]();
    });
    define(() => {
      if (suite === undefined) throw new Error("the stand-in was not started");
      return suite;
    });
  });
}
