/** An error as ARM answers it. */
export class ArmError extends Error {
  override readonly name = "ArmError";
  readonly status: number;
  readonly code: string;
  headers: Readonly<Record<string, string>> = {};

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  with(headers: Readonly<Record<string, string>>): this {
    this.headers = headers;
    return this;
  }
}

export function errorBody({ code, message }: Pick<ArmError, "code" | "message">): object {
  return { error: { code, message } };
}

export function notFound(id: string): ArmError {
  return new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
}
