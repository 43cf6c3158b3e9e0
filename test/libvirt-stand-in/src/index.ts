export { buildGuest, type Guest } from "./guest/build-guest.ts";
export { missingLibvirtd, startLibvirtd, type Libvirtd } from "./libvirtd.ts";
