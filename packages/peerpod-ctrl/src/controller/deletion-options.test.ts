import { describe, expect, it } from "vitest";
import type { OptionSpec } from "@peerpods/cloud-providers";
import { deletionOptions } from "./deletion-options.ts";

const spec: OptionSpec = [
  { flag: "region", env: "REGION", type: "string", required: true, help: "" },
  { flag: "key", env: "KEY", type: "string", required: true, secret: true, help: "" },
  { flag: "disk", env: "DISK", type: "int", default: 30, help: "" },
  { flag: "token", env: "TOKEN", type: "int", secret: true, help: "" },
];

describe("options for deleting", () => {
  it("requires nothing and keeps defaults", () => {
    expect(deletionOptions(spec, {})).toEqual({
      values: { region: "", key: "", disk: 30, token: 0 },
      problems: [],
    });
  });

  it("ignores and reports what does not parse, without its value where that is secret", () => {
    const { values, problems } = deletionOptions(spec, { REGION: "eu-1", DISK: "huge", TOKEN: "canary" });
    expect(values).toMatchObject({ region: "eu-1", disk: 30, token: 0 });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain("DISK");
    expect(problems.join()).not.toContain("canary");
  });
});
