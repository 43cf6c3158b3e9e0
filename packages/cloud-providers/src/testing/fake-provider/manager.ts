import type { CallPolicy } from "../../call-policy/call-policy.ts";
import { CONTRACT_VERSION, type CloudProvider, type ProviderContext } from "../../contract.ts";
import { redactOptions } from "../../options/redact.ts";
import type { OptionValues } from "../../options/load.ts";
import type { FakeCloud } from "../fake-cloud/fake-cloud.ts";
import { createFakeClient } from "./client.ts";
import { fakeConfig, fakeOptions } from "./options.ts";
import { FakeProvider } from "./provider.ts";

/** What a fake provider is connected with. */
export interface FakeProviderOptions {
  /** Brings all calls under a policy; default: each failure of the API is a failure of the call. */
  readonly policy?: CallPolicy;
  /** Default: {@link FakeProvider}. A subclass breaks a rule on purpose. */
  readonly make?: (parts: ConstructorParameters<typeof FakeProvider>[0]) => FakeProvider;
}

/** The provider `fake` of a fake cloud. All connections made by it see the same cloud. */
export function fakeProvider(cloud: FakeCloud, { policy, make }: FakeProviderOptions = {}): CloudProvider {
  return {
    name: "fake",
    contractVersion: CONTRACT_VERSION,
    summary: "A cloud in memory, for tests",
    options: fakeOptions,
    newProvider({ config: values, logger }: ProviderContext) {
      logger.debug(
        { config: redactOptions(fakeOptions, values as OptionValues) },
        "connecting to the fake cloud",
      );
      const config = fakeConfig(values);
      const client = createFakeClient(cloud, {
        accessKey: config.accessKey,
        ...(policy === undefined ? {} : { policy }),
      });
      const parts = { client, config, clock: cloud.clock, types: cloud.account.setup.types };
      return Promise.resolve(make === undefined ? new FakeProvider(parts) : make(parts));
    },
  };
}
