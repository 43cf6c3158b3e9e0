export { missingLibvirtd, startLibvirtd, type Libvirtd } from "./libvirtd.ts";
export { buildSmallGuest, guestKernel, type SmallGuest } from "./small-guest.ts";
