export { packageVersion as version } from "./release.ts";
