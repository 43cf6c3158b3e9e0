// Written by the release from package.json.

/** Version of this package. */
export const packageVersion = "0.1.0";

/** The exact versions of siblings that this package was released with. */
export const releasedWith = {
  "@peerpods/cloud-providers": "0.1.0",
} as const;
