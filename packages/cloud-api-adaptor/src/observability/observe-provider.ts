import type { Provider } from "@peerpods/cloud-providers";
import { observed, type ObservedCall } from "./observer.ts";

/**
 * A provider that tells of each of its calls. It has the same abilities: what is no method, and the teardown, are passed on.
 */
export function observeProvider(
  provider: Provider,
  { tell, now = Date.now }: { readonly tell: (call: ObservedCall) => void; readonly now?: () => number },
): Provider {
  return new Proxy(provider, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function" || typeof key !== "string") return member;
      if (key === "teardown") return () => Reflect.apply(member, target, []) as unknown;
      return (...args: readonly unknown[]) => {
        const sandboxId = (args[0] as { readonly sandboxId?: unknown } | undefined)?.sandboxId;
        const call = { name: key, ...(typeof sandboxId === "string" ? { sandboxId } : {}) };
        const act = async (): Promise<unknown> => await (Reflect.apply(member, target, args) as unknown);
        return observed(call, act, { tell, now });
      };
    },
  });
}
