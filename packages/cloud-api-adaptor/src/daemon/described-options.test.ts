import { CONTRACT_VERSION, loadOptions } from "@peerpods/cloud-providers";
import type { CloudProvider } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import { optionsWith } from "./all-options.ts";
import { describeOptions } from "./described-options.ts";

const provider: CloudProvider = {
  name: "fake",
  contractVersion: CONTRACT_VERSION,
  summary: "",
  options: [
    { flag: "fake-key", env: "FAKE_KEY", type: "string", secret: true, help: "" },
    { flag: "fake-tags", type: "map", help: "" },
    { flag: "fake-zones", type: "list", default: ["a", "b"], help: "" },
    { flag: "fake-wait", type: "duration", default: "1m30s", help: "" },
  ],
  newProvider: () => Promise.reject(new Error("not here")),
};

function load(argv: readonly string[], env: Record<string, string> = {}) {
  const loaded = loadOptions(optionsWith(provider), { argv, env });
  if ("help" in loaded) throw new Error("no help was asked for");
  return loaded;
}

describe("described options", () => {
  it("tell value and source, and hide secrets", () => {
    const loaded = load(["-fake-tags=a=1,b=2", "-reap-grace", "2m"], { FAKE_KEY: "canary-77aa" });
    const options = describeOptions(provider, loaded);
    const of = (flag: string) => options.find((option) => option.flag === flag);
    expect(of("fake-key")).toEqual({
      flag: "fake-key",
      value: "**********",
      source: "env",
      ofProvider: true,
    });
    expect(of("fake-tags")).toMatchObject({ value: "a=1,b=2", source: "flag" });
    expect(of("fake-zones")).toMatchObject({ value: "a,b", source: "default" });
    expect(of("reap-grace")).toMatchObject({ value: "120000ms", source: "flag", ofProvider: false });
    expect(JSON.stringify(options)).not.toContain("canary");
  });

  it("can be given back as flags, and mean the same", () => {
    const loaded = load([
      "-fake-tags=a=1",
      "-proxy-timeout=90s",
      "-disable-tls",
      "-pod-subnet-cidrs=10.0.0.0/8",
    ]);
    const flags = describeOptions(provider, loaded)
      .filter(({ value }) => value !== "")
      .map(({ flag, value }) => `-${flag}=${value}`);
    const { "fake-key": _, ...values } = load(flags).values;
    const { "fake-key": __, ...before } = loaded.values;
    expect(values).toEqual(before);
  });
});
