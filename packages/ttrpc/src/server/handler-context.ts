import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { ContextValues, HandlerContext } from "@connectrpc/connect";
import { headersFromMetadata, requestMetadata } from "../connection/metadata.ts";
import type { Metadata } from "../wire/request.ts";

/** What a handler knows of its call. The costly parts are made when first asked for; most handlers ask for none. */
export class CallContext implements HandlerContext {
  readonly protocolName = "ttrpc";
  readonly requestMethod = "POST";
  readonly method: DescMethod;
  readonly #metadata: Metadata;
  readonly #deadline: number | undefined;
  #controller: AbortController | undefined;
  #abortReason: ConnectError | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;

  /** `timeoutMs` counts from now; undefined is no deadline. */
  constructor(method: DescMethod, metadata: Metadata, timeoutMs: number | undefined) {
    this.method = method;
    this.#metadata = metadata;
    this.#deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  timeoutMs = (): number | undefined =>
    this.#deadline === undefined ? undefined : this.#deadline - performance.now();

  get requestHeader(): Headers {
    return (this.#requestHeader ??= headersFromMetadata(this.#metadata));
  }

  /** Exists for handlers that are written for other protocols as well; ttrpc cannot carry it. */
  get responseHeader(): Headers {
    return (this.#responseHeader ??= new Headers());
  }

  /** As `responseHeader`. */
  get responseTrailer(): Headers {
    return (this.#responseTrailer ??= new Headers());
  }

  get values(): ContextValues {
    return (this.#values ??= createContextValues().set(requestMetadata, this.#metadata));
  }

  get url(): string {
    return `ttrpc:///${this.service.typeName}/${this.method.name}`;
  }

  /** Aborts `signal`; only the first reason counts. */
  abort(reason: ConnectError): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** The call was answered: `signal` aborts, for what a handler left running. */
  complete(): void {
    if (this.#controller !== undefined) this.abort(new ConnectError("the call has ended", Code.Canceled));
  }
}
