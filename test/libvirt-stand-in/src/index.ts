export { missingLibvirtd, startLibvirtd, type Libvirtd } from "./libvirtd.ts";
