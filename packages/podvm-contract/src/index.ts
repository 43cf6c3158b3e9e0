export { formatCidr, isIpAddress, parseCidr } from "./cidr.ts";
export {
  DEFAULT_FORWARDER_PORT,
  DEFAULT_VXLAN_ID_BASE,
  DEFAULT_VXLAN_PORT,
  MANUAL_TLS_SERVER_NAME,
  MAX_AUTH_JSON_BYTES,
  MAX_VXLAN_ID,
  VXLAN_IPV4_OVERHEAD_BYTES,
  vxlanIdOf,
} from "./defaults.ts";
export { PodVMContractError } from "./errors.ts";
export { guestPaths, initdataPaths, userDataPaths } from "./guest-paths.ts";
export {
  DEFAULT_INITDATA_TOML,
  DEFAULT_MAX_INITDATA_BYTES,
  decodeInitdata,
  encodeInitdata,
} from "./initdata/initdata.ts";
export { isInterfaceName, isMacAddress } from "./link-names.ts";
export { MAX_APF_BYTES, parseApfConfig } from "./apf/parse.ts";
export { serializeApfConfig } from "./apf/serialize.ts";
export { parseTlsProfile } from "./tls/profile.ts";

export type {
  ApfConfig,
  NeighborState,
  PodNeighbor,
  PodNetworkConfig,
  PodRoute,
  RouteProtocol,
  RouteScope,
} from "./apf/config.ts";
export type { Cidr } from "./cidr.ts";
export type { PodVMContractErrorCode } from "./errors.ts";
export type { Initdata } from "./initdata/initdata.ts";
export type { TlsProfile, TlsProfileInput } from "./tls/profile.ts";
