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

/** Both cores of a small machine: vitest leaves one free unless told otherwise. */
const sideBySide = { maxWorkers: "100%", sequence: { groupOrder: 1 } };

/** Long enough to build a server with Go once. */
const slow = { testTimeout: 120_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/summary-reporter.ts"],
    projects: [
      {
        ...source,
        test: {
          ...everywhere,
          ...sideBySide,
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "test/*/src/**/*.test.ts"],
          exclude: ["**/*.{server,system}.test.ts", "**/node_modules/**"],
          // Wide enough for a busy machine; what is slow by itself says so in the test.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Tests against real servers or stand-ins of clouds, on loopback: they need no privileges and no machine to themselves.
        ...source,
        test: {
          ...everywhere,
          ...sideBySide,
          ...slow,
          name: "server",
          include: ["{packages,test}/*/src/**/*.server.test.ts", "scripts/**/*.server.test.ts"],
        },
      },
      {
        // Tests that make namespaces, links, cgroups or mounts: one file at a time.
        ...source,
        test: {
          ...everywhere,
          ...slow,
          name: "system",
          globalSetup: ["./scripts/leftover-guard.ts"],
          include: ["{packages,test}/*/src/**/*.system.test.ts", "scripts/**/*.system.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
