export { defineSeededRuns } from "./define-seeded-runs.ts";
export { defineConformanceTests, type PreparedTarget, type TestRunner } from "./define-tests.ts";
export {
  conformanceMatrix,
  conforms,
  reportMarkdown,
  type ConformanceReport,
  type RuleResult,
  type RuleStatus,
} from "./report.ts";
export { RuleViolation, type Rule } from "./rule.ts";
export { conformanceRules } from "./rules/index.ts";
export { runConformance, type ConformanceOptions } from "./run.ts";
export { saveReportTo } from "./save-report.ts";
export {
  runSeededFaults,
  seededRunCount,
  type SeededFailure,
  type SeededRunsOptions,
} from "./seeded-runs.ts";
export {
  faultKinds,
  type ApiCalls,
  type ConformanceTarget,
  type Facility,
  type FaultFacility,
  type InjectedFault,
  type Injection,
  type TargetEnvironment,
} from "./target.ts";
