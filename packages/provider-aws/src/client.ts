import type { EC2Client } from "@aws-sdk/client-ec2";
import { clientOptions, type Access } from "./access.ts";
import { callAws, type AwsCall } from "./aws-call.ts";
import { ec2CodeOf } from "./errors.ts";
import { cloudOperation, type Ec2Input, type Ec2Operation, type Ec2Output } from "./operations.ts";

/** The provider's side of the EC2 API: every call under the policy, every error converted. */
export interface Ec2 extends Disposable {
  call<Name extends Ec2Operation>(name: Name, input: Ec2Input<Name>, call: AwsCall): Promise<Ec2Output<Name>>;
}

/** Loads the SDK and makes a client. Nothing is sent yet. */
export async function createEc2(access: Access, { endpoint }: { readonly endpoint: string }): Promise<Ec2> {
  const sdk = await import("./sdk.ts");
  const client: EC2Client = new sdk.EC2Client(clientOptions(access, endpoint));

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
    async call(name, input, call) {
      const operation = cloudOperation(name);
      try {
        return await callAws(access, { operation, send: (signal) => send(name, input, signal) }, call);
      } catch (error) {
        // A dry run that would have worked is an error to EC2.
        if (ec2CodeOf(error) === "DryRunOperation") return { $metadata: {} } as Ec2Output<typeof name>;
        throw error;
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}
