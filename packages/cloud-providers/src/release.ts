// Written by the release from package.json.

/** Version of this package. */
export const packageVersion = "0.1.0";
