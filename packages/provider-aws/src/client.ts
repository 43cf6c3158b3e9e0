import type { CallContext, CallPolicy, ProviderErrorCode } from "@peerpods/cloud-providers";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { AwsConfig } from "./config.ts";
import { requestHandler } from "./connection.ts";
import { awsCredentials } from "./credentials.ts";
import { ec2CodeOf, toProviderError } from "./errors.ts";
import { cloudOperation, type Ec2Input, type Ec2Operation, type Ec2Output } from "./operations.ts";

/** A call's circumstances. */
export interface Ec2Call extends CallContext {
  /** Hears of each try that ended without EC2's word on whether it acted. */
  readonly onUncertain?: () => void;
}

/** EC2 answered nothing, or it answered that something broke on the way. */
const uncertain: ReadonlySet<ProviderErrorCode> = new Set(["unavailable", "timeout", "aborted", "internal"]);

/** The provider's side of the EC2 API: every call under the policy, every error converted. */
export interface Ec2 extends Disposable {
  call<Name extends Ec2Operation>(name: Name, input: Ec2Input<Name>, call: Ec2Call): Promise<Ec2Output<Name>>;
}

/**
 * Loads the SDK and connects. Nothing is sent yet.
 * @param environment.env for the SDK's credential chain.
 */
export async function createEc2(
  config: AwsConfig,
  {
    region,
    policy,
    env,
  }: {
    readonly region: string;
    readonly policy: CallPolicy;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<Ec2> {
  const sdk = await import("./sdk.ts");
  const handler = await requestHandler(config.connection);
  const credentials = await awsCredentials(config, env, { region, requestHandler: handler });
  const client: EC2Client = new sdk.EC2Client({
    region,
    credentials,
    requestHandler: handler,
    // The policy repeats calls; it knows which, how often, and until when.
    maxAttempts: 1,
    ...(config.connection.endpoint === "" ? {} : { endpoint: config.connection.endpoint }),
  });
  const { secretAccessKey, sessionToken } = config.credentials;
  const secrets = [secretAccessKey, sessionToken, config.connection.httpProxy].filter(Boolean);

  async function send<Name extends Ec2Operation>(
    name: Name,
    input: Ec2Input<Name>,
    signal: AbortSignal,
  ): Promise<Ec2Output<Name>> {
    // One constructor for each name: TypeScript cannot see that name, input and output belong together.
    const Command = sdk[`${name}Command`] as unknown as new (
      input: unknown,
    ) => Parameters<EC2Client["send"]>[0];
    return (await client.send(new Command(input), { abortSignal: signal })) as Ec2Output<Name>;
  }

  return {
    async call(name, input, { onUncertain, ...call }) {
      return await policy.run(
        cloudOperation(name),
        async (one) => {
          try {
            const output = await send(name, input, one.signal);
            one.requests(output.$metadata.attempts ?? 1);
            return output;
          } catch (thrown) {
            one.requests(attemptsOf(thrown));
            const error = toProviderError(thrown, { operation: name, secrets });
            // A dry run that would have worked is an error to EC2.
            if (ec2CodeOf(error) === "DryRunOperation") return { $metadata: {} } as Ec2Output<typeof name>;
            if (uncertain.has(error.code)) onUncertain?.();
            throw error;
          }
        },
        call,
      );
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

function attemptsOf(thrown: unknown): number {
  const { $metadata } = (thrown ?? {}) as { readonly $metadata?: { readonly attempts?: number } };
  return $metadata?.attempts ?? 1;
}
