import { describe, expect, it } from "vitest";
import { mergePullSecrets } from "./auth-json.ts";

const base64 = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");
const modern = (name: string, auths: unknown) => ({
  name,
  data: { ".dockerconfigjson": base64({ auths }) },
});
const authsOf = (authJson: string | undefined) => (JSON.parse(authJson ?? "{}") as { auths?: unknown }).auths;

describe("pull secrets", () => {
  it("are merged by registry, the later one counts", () => {
    const { authJson, skipped } = mergePullSecrets([
      modern("account", { "a.example": { auth: "b2xk" }, "b.example": { auth: "Yg==" } }),
      modern("pod", { "a.example": { auth: "bmV3" } }),
    ]);
    expect(authsOf(authJson)).toEqual({ "a.example": { auth: "bmV3" }, "b.example": { auth: "Yg==" } });
    expect(skipped).toEqual([]);
  });

  it("keep auth alone, or make it of user name and password; an entry with neither is left out", () => {
    const { authJson } = mergePullSecrets([
      modern("s", {
        "a.example": { auth: "YTpi", username: "a", password: "b", email: "a@example" },
        "b.example": { username: "user", password: "pass" },
        "c.example": { username: "user" },
      }),
    ]);
    expect(authsOf(authJson)).toEqual({
      "a.example": { auth: "YTpi" },
      "b.example": { auth: base64("user:pass") },
    });
  });

  it("may have the form of before: the registries themselves", () => {
    const data = { ".dockercfg": base64({ "a.example": { auth: "YQ==" } }) };
    expect(authsOf(mergePullSecrets([{ name: "s", data }]).authJson)).toEqual({
      "a.example": { auth: "YQ==" },
    });
  });

  it("make no file when there is no registry in them", () => {
    expect(mergePullSecrets([])).toEqual({ skipped: [] });
    expect(mergePullSecrets([modern("s", {})]).authJson).toBeUndefined();
  });

  it("are not confused by names that JavaScript knows", () => {
    const text = '{"auths":{"__proto__":{"auth":"eA=="},"constructor":{"auth":"eQ=="}}}';
    const { authJson } = mergePullSecrets([{ name: "s", data: { ".dockerconfigjson": base64(text) } }]);
    expect(authJson).toContain('"constructor":{"auth":"eQ=="}');
    expect(({} as Record<string, unknown>)["auth"]).toBeUndefined();
  });

  it.each([
    ["broken JSON", { ".dockerconfigjson": base64('{"auths": {"a": "canary') }, "is not JSON"],
    ["a list", { ".dockerconfigjson": base64([1]) }, "does not have the form"],
    ["auths that is text", { ".dockerconfigjson": base64({ auths: "canary" }) }, "does not have the form"],
    [
      "an entry that is text",
      { ".dockerconfigjson": base64({ auths: { a: "canary" } }) },
      "does not have the form",
    ],
    ["no base64", { ".dockerconfigjson": "%%%" }, "is not JSON"],
    ["another type of secret", { "tls.key": base64("canary") }, "has neither"],
  ])("skip %s alone, and say nothing of its content", (_what, data, why) => {
    const { authJson, skipped } = mergePullSecrets([
      modern("good", { "a.example": { auth: "YQ==" } }),
      { name: "bad", data },
    ]);
    expect(authsOf(authJson)).toEqual({ "a.example": { auth: "YQ==" } });
    expect(skipped).toEqual([{ name: "bad", why: expect.stringContaining(why) }]);
    expect(JSON.stringify(skipped)).not.toContain("canary");
  });
});
