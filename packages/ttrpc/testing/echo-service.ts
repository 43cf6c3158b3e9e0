import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { errorFromStatus, requestMetadata } from "../src/index.ts";
import { Echo } from "./gen/echo_pb.ts";

/** The echo service of the tests; the Go peer has the same one. */
export const echoService: ServiceImpl<typeof Echo> = {
  say: ({ value }) => ({ value }),
  produce: ({ value }) => ({ value: new Uint8Array(value) }),
  fail({ value }) {
    const colon = value.indexOf(":");
    throw errorFromStatus({ code: Number(value.slice(0, colon)), message: value.slice(colon + 1) });
  },
  hang: (_request, { signal }) =>
    new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    }),
  metadata({ value }, context) {
    const values = context.values.get(requestMetadata).filter(([key]) => key === value);
    return { value: values.map(([, text]) => text).join("|") };
  },
  timeLeft: (_request, context) => ({ value: BigInt(Math.round(context.timeoutMs() ?? -1)) }),
  async *count({ value }) {
    for (let next = 0; next < value; next++) yield { value: next };
    if (value % 2 === 1) throw new ConnectError("odd", Code.OutOfRange);
  },
  async sum(numbers) {
    let sum = 0n;
    for await (const { value } of numbers) sum += BigInt(value);
    return { value: sum };
  },
  async *chat(messages) {
    for await (const { value } of messages) yield { value };
  },
};

/** Routes of {@link echoService}, some methods replaced. */
export function echoRoutes(
  replaced: Partial<ServiceImpl<typeof Echo>> = {},
): (router: ConnectRouter) => void {
  return (router) => router.service(Echo, { ...echoService, ...replaced });
}
