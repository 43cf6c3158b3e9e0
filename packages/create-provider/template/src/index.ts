export { provider } from "./manager.ts";
