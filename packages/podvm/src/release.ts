// Written by the release from package.json.

/** Version of this package. */
export const packageVersion: string = "0.1.0";
