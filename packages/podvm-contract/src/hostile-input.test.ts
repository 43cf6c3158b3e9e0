import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { assert, it } from "vitest";
import { parseApfConfig } from "./apf/parse.ts";
import { serializeApfConfig } from "./apf/serialize.ts";
import { PodVMContractError } from "./errors.ts";
import { decodeInitdata } from "./initdata/initdata.ts";
import { parseTlsProfile } from "./tls/profile.ts";

/** Whatever comes in: a value, or the one error type of this package. */
function answers(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    return error instanceof PodVMContractError;
  }
}

const keys = [
  "pod-network",
  "routes",
  "dst",
  "gw",
  "dev",
  "podip",
  "mtu",
  "neighbors",
  "state",
  "tls-cipher-suites",
];
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), fc.array(tie("value")), tie("object")),
  object: fc.dictionary(
    fc.constantFrom(...keys, ...keys.map((key) => key.toUpperCase()), "__proto__"),
    tie("value"),
  ),
}));

it("parseApfConfig withstands any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => answers(() => parseApfConfig(text))));
});

it("parseApfConfig withstands any document, and what it accepts it writes and reads alike", () => {
  fc.assert(
    fc.property(tree.object, (document) =>
      answers(() => {
        const config = parseApfConfig(JSON.stringify(document));
        assert.deepEqual(parseApfConfig(serializeApfConfig(config)), config);
      }),
    ),
  );
});

it("decodeInitdata withstands any text, any bytes and any document", () => {
  fc.assert(fc.property(fc.string(), (text) => answers(() => decodeInitdata(text))));
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(bytes, (data) => answers(() => decodeInitdata(Buffer.from(data).toString("base64")))),
  );
  fc.assert(
    fc.property(fc.string(), (toml) => answers(() => decodeInitdata(gzipSync(toml).toString("base64")))),
  );
});

it("parseTlsProfile withstands any words", () => {
  const input = fc.record({ minVersion: fc.string(), cipherSuites: fc.array(fc.string()) });
  fc.assert(fc.property(input, (profile) => answers(() => parseTlsProfile(profile))));
});
