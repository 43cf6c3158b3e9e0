export { missingLibvirtd, startLibvirtd, type Libvirtd } from "./libvirtd.ts";
export { buildSmallGuest, type SmallGuest } from "./small-guest.ts";
