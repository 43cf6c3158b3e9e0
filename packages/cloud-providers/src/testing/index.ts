export { timedCall, type TimedCall } from "./call-context.ts";
export { FakeClock } from "./fake-clock.ts";
