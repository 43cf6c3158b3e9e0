import { createSecureContext } from "node:tls";
import { describe, expect, it } from "vitest";
import { tls12CipherSuites } from "./cipher-suites.ts";
import { parseTlsProfile, type TlsProfileInput } from "./profile.ts";

const tls13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
const ecdsa = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

describe("parseTlsProfile", () => {
  it.each<[TlsProfileInput, object]>([
    [{}, { minVersion: "TLSv1.2" }],
    [{ minVersion: "", cipherSuites: [] }, { minVersion: "TLSv1.2" }],
    [{ minVersion: " VersionTLS12 " }, { minVersion: "TLSv1.2" }],
    [{ minVersion: "VersionTLS13", cipherSuites: ["", " "] }, { minVersion: "TLSv1.3" }],
    [
      { cipherSuites: [` ${ecdsa} `, ""] },
      { minVersion: "TLSv1.2", ciphers: `${tls13}:ECDHE-ECDSA-AES128-GCM-SHA256` },
    ],
    [{ cipherSuites: ["TLS_AES_128_GCM_SHA256"] }, { minVersion: "TLSv1.2", ciphers: tls13 }],
  ])("%j", (input, expected) => {
    expect(parseTlsProfile(input)).toEqual(expected);
  });

  it.each<[TlsProfileInput, string]>([
    [{ minVersion: "VersionTLS10" }, "not supported"],
    [{ minVersion: "VersionTLS11" }, "not supported"],
    [{ minVersion: "TLSv1.2" }, "invalid minVersion"],
    [{ minVersion: "VersionTLS13", cipherSuites: [ecdsa] }, "VersionTLS13"],
    [{ cipherSuites: ["ECDHE-ECDSA-AES128-GCM-SHA256"] }, ecdsa],
  ])("refuses %j", (input, text) => {
    expect(() => parseTlsProfile(input)).toThrow(
      expect.objectContaining({ code: "invalid_tls_profile", message: expect.stringContaining(text) }),
    );
  });

  it("names only what node:tls takes, weak suites beside a good one included", () => {
    const profile = parseTlsProfile({ cipherSuites: [...tls12CipherSuites.keys()] });
    expect(() => createSecureContext(profile)).not.toThrow();
  });
});
