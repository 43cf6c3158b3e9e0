import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { planGuestFiles } from "./guest-files.ts";

const initdata = (toml: string) => gzipSync(toml).toString("base64");
const file = (path: string, content: string) => ({ path, content });

describe("without initdata", () => {
  it("uses the fixed default, whose digest is known", () => {
    const { files, initdataDigest } = planGuestFiles([]);
    expect(initdataDigest).toBe("adb48cc14fea9403d3d51f3b5f5068fd4d80445a14e94f1b3d5dbabaad66478d");
    expect(files.get("/run/peerpod/initdata.digest")).toBe(initdataDigest);
    expect(files.get("/run/peerpod/aa.toml")).toBe("");
    expect(files.has("/run/peerpod/initdata")).toBe(true);
  });

  it("uses what the image has", () => {
    const toml = 'algorithm = "sha512"\nversion = "0.1.0"\n[data]\n';
    const { initdataDigest } = planGuestFiles([], { initdata: `${initdata(toml)}\n` });
    expect(initdataDigest).toBe(createHash("sha512").update(toml).digest("hex"));
  });
});

describe("allow-lists", () => {
  it("takes the six files of the user data and names the others", () => {
    const allowed = ["apf.json", "auth.json", "aa.toml", "cdh.toml", "scratch-space.marker"].map(
      (name) => `/run/peerpod/${name}`,
    );
    const others = [
      "/etc/passwd",
      "/run/peerpod/policy.rego",
      "/run/peerpod/../peerpod/apf.json",
      "/run/peerpod/initdata.digest",
    ];
    const ownInitdata = file("/run/peerpod/initdata", initdata('algorithm = "sha256"'));
    const { files, skippedPaths } = planGuestFiles([
      ownInitdata,
      ...[...allowed, ...others].map((path) => file(path, "{}")),
    ]);
    for (const path of allowed) expect(files.get(path)).toBe("{}");
    expect(skippedPaths).toEqual(others);
    expect([...files.keys()].sort()).toEqual(
      [...allowed, "/run/peerpod/initdata", "/run/peerpod/initdata.digest"].sort(),
    );
  });

  it("takes three files of the initdata, which win over the user data, and names the others", () => {
    const toml = `algorithm = "sha384"
version = "0.1.0"
[data]
"aa.toml" = "measured"
"policy.rego" = "package agent_policy"
"../../etc/passwd" = "root::0:0"
"apf.json" = "{}"
"./cdh.toml" = "cdh"
`;
    const { files, skippedInitdata, initdataDigest } = planGuestFiles([
      file("/run/peerpod/aa.toml", "unmeasured"),
      file("/run/peerpod/initdata", initdata(toml)),
    ]);
    expect(files.get("/run/peerpod/aa.toml")).toBe("measured");
    expect(files.get("/run/peerpod/policy.rego")).toBe("package agent_policy");
    expect(files.get("/run/peerpod/cdh.toml")).toBe("cdh");
    expect(skippedInitdata).toEqual(["../../etc/passwd", "apf.json"]);
    expect(initdataDigest).toBe(createHash("sha384").update(toml).digest("hex"));
  });
});

it("makes the attestation agent's configuration exist, without emptying one that is there", () => {
  const toml = 'algorithm = "sha256"\nversion = "0.1.0"\n[data]\n';
  const userData = [file("/run/peerpod/initdata", initdata(toml))];
  expect(planGuestFiles(userData).files.get("/run/peerpod/aa.toml")).toBe("");
  expect(
    planGuestFiles(userData, { hasAttestationAgentConfig: true }).files.has("/run/peerpod/aa.toml"),
  ).toBe(false);
});

describe("contents that cannot be used", () => {
  it.each([
    ["apf.json that is not JSON", file("/run/peerpod/apf.json", "CANARY {"), /apf\.json/],
    ["apf.json of the wrong shape", file("/run/peerpod/apf.json", '{"pod-name": 3}'), /pod-name/],
    ["initdata that is not base64", file("/run/peerpod/initdata", "CANARY!"), /base64/],
    ["initdata that is not gzip", file("/run/peerpod/initdata", "Q0FOQVJZ"), /gzip/],
    ["initdata that is not TOML", file("/run/peerpod/initdata", initdata("CANARY =")), /TOML/],
    ["an unknown algorithm", file("/run/peerpod/initdata", initdata('algorithm = "md5"')), /algorithm/],
    ["a gzip bomb", file("/run/peerpod/initdata", initdata("#".repeat(200 << 20))), /limit/],
  ])("refuses %s", (_what, wrong, message) => {
    expect(() => planGuestFiles([wrong])).toThrow(expect.objectContaining({ code: "invalid_file" }) as Error);
    expect(() => planGuestFiles([wrong])).toThrow(message);
    expect(() => planGuestFiles([wrong])).not.toThrow(/CANARY/);
  });
});
