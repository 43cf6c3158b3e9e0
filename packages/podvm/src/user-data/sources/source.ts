/** A place that user data can come from. To add one: a file beside this one, and a line in `index.ts`. */
export interface UserDataSource {
  /** The name shown in logs, e.g. `local`. */
  readonly name: string;
  /**
   * Whether this machine has the source. Must be quick and must not fail for machines that do not have it.
   * @throws the reason of `signal`
   */
  detect(call: SourceCall): Promise<boolean>;
  /**
   * Reads the cloud-config document, at most `MAX_USER_DATA_BYTES` and one byte more.
   * @throws UserDataError `unavailable` when trying again may help
   */
  read(call: SourceCall): Promise<Uint8Array>;
}

/** What every call of a source gets. */
export interface SourceCall {
  readonly signal: AbortSignal;
}
