import { ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";

const codes: Readonly<Record<number, ProviderErrorCode>> = {
  400: "invalid_request",
  401: "unauthorized",
  403: "unauthorized",
  404: "not_found",
  409: "conflict",
  429: "throttled",
  507: "no_capacity",
};

/** The one place where an answer of the API becomes an error of the contract. */
export function errorOfAnswer(status: number, message: string): ProviderError {
  return new ProviderError(codes[status] ?? (status >= 500 ? "unavailable" : "internal"), message);
}

/** The way to the cloud failed. */
export function errorOfConnection(thrown: unknown): ProviderError {
  return new ProviderError("unavailable", "the Acme API cannot be reached", { cause: thrown });
}
