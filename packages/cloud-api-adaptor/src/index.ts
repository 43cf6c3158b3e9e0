export { daemonOptions } from "./daemon/options.ts";
export { packageVersion as version } from "./release.ts";
