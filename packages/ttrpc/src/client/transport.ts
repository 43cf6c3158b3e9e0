import type { DescMessage, DescMethod, DescMethodStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import type {
  ContextValues,
  Interceptor,
  StreamResponse,
  Transport,
  UnaryResponse,
} from "@connectrpc/connect";
import { createContextValues } from "@connectrpc/connect";
import { runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import { metadataFromHeaders, requestMetadata } from "../connection/metadata.ts";
import type { HeaderSource } from "../connection/metadata.ts";
import type { StreamBufferLimits } from "../connection/message-queue.ts";
import type { CallInit } from "./call.ts";
import type { ClientConnection } from "./client-connection.ts";
import { callStreaming } from "./streaming-call.ts";
import { callUnary } from "./unary-call.ts";

/** How a connection makes calls. */
export interface TransportOptions extends StreamBufferLimits {
  /** Connect interceptors, the first one outermost. Default none, which is the fastest path. */
  readonly interceptors?: readonly Interceptor[];
  /** Time of calls that state none, in milliseconds. Default: no deadline. */
  readonly defaultTimeoutMs?: number;
}

/** What a call is made with; the parameters of `Transport` by name. */
interface CallRequest {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly header: HeaderSource;
  readonly contextValues: ContextValues | undefined;
}

/** A Connect transport over one connection; make clients of it with Connect's `createClient`. */
export function createTransport(connection: ClientConnection, options: TransportOptions): Transport {
  const interceptors = [...(options.interceptors ?? [])];

  function initOf(method: DescMethod, request: CallRequest): CallInit {
    const verbatim = request.contextValues?.get(requestMetadata) ?? [];
    return {
      service: method.parent.typeName,
      method: method.name,
      metadata: metadataFromHeaders(verbatim, request.header),
      signal: request.signal,
      timeoutMs: request.timeoutMs ?? options.defaultTimeoutMs,
    };
  }

  /** Connect's helpers take no explicit undefined. */
  function boundsOf({ signal, timeoutMs = options.defaultTimeoutMs }: CallRequest) {
    return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  }

  return {
    // The parameters are Connect's interface.
    // oxlint-disable-next-line max-params
    async unary(method, signal, timeoutMs, header, message, contextValues) {
      const request = { signal, timeoutMs, header, contextValues };
      if (interceptors.length === 0) {
        const init = { ...initOf(method, request), message };
        return unaryResponse(method, await callUnary(connection, method, init));
      }
      return runUnaryCall({
        interceptors,
        ...boundsOf(request),
        req: { ...interceptable(method, request), stream: false, method, message },
        next: async (req) => {
          const init = { ...initOf(method, { ...req, timeoutMs }), message: req.message };
          return unaryResponse(method, await callUnary(connection, method, init));
        },
      });
    },

    // oxlint-disable-next-line max-params
    async stream(method, signal, timeoutMs, header, messages, contextValues) {
      const request = { signal, timeoutMs, header, contextValues };
      if (interceptors.length === 0) {
        const init = { ...initOf(method, request), messages, limits: options };
        return streamResponse(method, await callStreaming(connection, method, init));
      }
      return runStreamingCall({
        interceptors,
        ...boundsOf(request),
        req: { ...interceptable(method, request), stream: true, method, message: messages },
        next: async (req) => {
          const init = { ...initOf(method, { ...req, timeoutMs }), messages: req.message, limits: options };
          return streamResponse(method, await callStreaming(connection, method, init));
        },
      });
    },
  };
}

/** What interceptors see of a call besides its message. */
function interceptable(method: DescMethod, request: CallRequest) {
  return {
    service: method.parent,
    requestMethod: "POST",
    url: `ttrpc:///${method.parent.typeName}/${method.name}`,
    header: new Headers(request.header),
    contextValues: request.contextValues ?? createContextValues(),
  };
}

/** ttrpc has neither response headers nor trailers. */
function unaryResponse<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  message: UnaryResponse<I, O>["message"],
): UnaryResponse<I, O> {
  const { parent: service } = method;
  return { stream: false, service, method, header: new Headers(), trailer: new Headers(), message };
}

function streamResponse<I extends DescMessage, O extends DescMessage>(
  method: DescMethodStreaming<I, O>,
  message: StreamResponse<I, O>["message"],
): StreamResponse<I, O> {
  const { parent: service } = method;
  return { stream: true, service, method, header: new Headers(), trailer: new Headers(), message };
}
