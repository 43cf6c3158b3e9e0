// Written by the release from package.json.

/** Version of this package. */
export const packageVersion: string = "0.1.0";

/** The exact versions of siblings that this package was released with. */
export const releasedWith: Readonly<Record<string, string>> = {
  "@peerpods/cloud-providers": "0.1.0",
  "@peerpods/peerpod-ctrl": "0.1.0",
};
