import { defineConfig } from "vitest/config";

/** Siblings are read as source, so a test never runs against a stale build. */
const source = {
  resolve: { conditions: ["@peerpods/source", "node", "import", "default"] },
  ssr: { resolve: { conditions: ["@peerpods/source", "node", "import", "default"] } },
};

const everywhere = {
  env: { TZ: "UTC", LC_ALL: "C.UTF-8" },
  restoreMocks: true,
  environment: "node" as const,
};

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/summary-reporter.ts"],
    projects: [
      {
        ...source,
        test: {
          ...everywhere,
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "test/*/src/**/*.test.ts"],
          exclude: ["**/*.system.test.ts", "**/node_modules/**"],
          // Wide enough for a busy machine; what is slow by itself says so in the test.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Tests that make namespaces, links, cgroups or long-lived servers: one file at a time.
        ...source,
        test: {
          ...everywhere,
          name: "system",
          globalSetup: ["./scripts/leftover-guard.ts"],
          include: ["packages/*/src/**/*.system.test.ts", "test/*/src/**/*.system.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
