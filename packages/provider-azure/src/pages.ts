import { ProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { Arm, ArmRequest } from "./client.ts";
import type { OperationName } from "./operations.ts";
import type { Page } from "./wire.ts";

/** Pages that are read before a listing is given up. */
const MAX_PAGES = 200;

/** Every item of a listing, page by page, so that a long one is never held as a whole. */
export async function* pagesOf<Item>(
  arm: Arm,
  { name, ...request }: ArmRequest & { readonly name: OperationName },
  call: CallContext,
): AsyncGenerator<Item> {
  let next: ArmRequest = request;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { body } = await arm.call<Page<Item>>(name, next, call);
    yield* body.value ?? [];
    if (body.nextLink === undefined || body.nextLink === "") return;
    next = { path: body.nextLink };
  }
  throw new ProviderError("internal", `${name}: more than ${MAX_PAGES} pages`);
}
