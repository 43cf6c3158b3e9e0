export { daemonOptions } from "./daemon/options.ts";
export { version } from "./version.ts";
