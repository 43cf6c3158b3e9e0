import { createContextKey } from "@connectrpc/connect";
import type { Metadata } from "../wire/request.ts";

/**
 * Metadata of a call exactly as on the wire, where Connect's `Headers` would change it: they lower-case names, trim
 * values, join repeated keys with ", " and refuse what HTTP does.
 *
 * In a handler `context.values.get(requestMetadata)` is what the caller sent. On a client, set it in the call's
 * `contextValues` to send these entries, in this order, before those of the headers.
 */
export const requestMetadata = createContextKey<Metadata>([], { description: "ttrpc request metadata" });

/** Received metadata as headers. Entries that cannot be a header are only in {@link requestMetadata}. */
export function headersFromMetadata(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const [key, value] of metadata) {
    try {
      headers.append(key, value);
    } catch {
      // Not a valid header name or value: nothing is lost, since the entry can be read verbatim.
    }
  }
  return headers;
}

/** What `Headers` can be made of. */
export type HeaderSource = ConstructorParameters<typeof Headers>[0];

/** What a client sends: its verbatim entries, then its headers. */
export function metadataFromHeaders(verbatim: Metadata, header: HeaderSource): Metadata {
  if (header === undefined) return verbatim;
  return [...verbatim, ...new Headers(header)];
}
