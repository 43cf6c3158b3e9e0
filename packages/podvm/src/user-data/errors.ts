/**
 * Why user data could not be turned into files.
 *
 * - `unavailable`: the source did not answer, or its volume cannot be read; trying again may help
 * - `too_large`: more bytes, or more files, than are read
 * - `invalid_user_data`: not a cloud-config document of the expected shape
 * - `invalid_file`: a file it brings cannot be used, e.g. `apf.json` or initdata
 * - `write_failed`: the files could not be written; none of them was put in place
 */
export type UserDataErrorCode =
  | "unavailable"
  | "too_large"
  | "invalid_user_data"
  | "invalid_file"
  | "write_failed";

/** The one error type of user data. Messages never quote file contents, which may hold private keys. */
export class UserDataError extends Error {
  override readonly name = "UserDataError";
  readonly code: UserDataErrorCode;

  constructor(code: UserDataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether another attempt may succeed. */
  get retryable(): boolean {
    return this.code === "unavailable";
  }
}
