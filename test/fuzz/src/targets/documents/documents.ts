import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { ConnectError } from "@connectrpc/connect";
import {
  DEFAULT_INITDATA_TOML,
  PodVMContractError,
  decodeInitdata,
  encodeInitdata,
  guestPaths,
  initdataPaths,
  parseApfConfig,
  serializeApfConfig,
  userDataPaths,
} from "@peerpods/podvm-contract";
import { canary, refusedAs, require, requireNoSecret } from "../../allowed.ts";
import { UserDataError, parseCloudConfig, parseCloudVolumes, planGuestFiles } from "../../internals.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";

const isContractError = (error: unknown): boolean => {
  requireNoSecret(error);
  return error instanceof PodVMContractError;
};

const apfDocument = JSON.stringify({
  "pod-network": {
    podip: "10.244.1.7/24",
    "pod-hw-addr": "0a:58:0a:f4:01:07",
    interface: "eth0",
    "worker-node-ip": "10.0.0.4/24",
    "tunnel-type": "vxlan",
    routes: [{ Dst: "0.0.0.0/0", GW: "10.244.1.1", Dev: "eth0", Protocol: 3, Scope: 0 }],
    neighbors: [{ IP: "10.244.1.1", HWAddr: "0a:58:0a:f4:01:01", Dev: "eth0", State: 128 }],
    mtu: 1450,
    index: 3,
    "vxlan-port": 4789,
    "vxlan-id": 555003,
    dedicated: false,
  },
  "pod-namespace": "default",
  "pod-name": "web",
  "tls-server-key": canary,
  "tls-cipher-suites": ["TLS_AES_128_GCM_SHA256"],
});

/** `apf.json` is refused in one way; what is accepted is the same when it is written and read again. */
export const apfConfig: FuzzTarget = {
  name: "apf-config",
  boundary: "apf.json: from the worker node, through the cloud, to the pod VM",
  seeds: [Buffer.from(apfDocument), Buffer.from("{}")],
  words: [
    "null",
    "0.0.0.0/0",
    "::ffff:0.0.0.0/0",
    '"__proto__"',
    "1e999",
    "\\u0000",
    '"ROUTES"',
    "[[[[",
    "-0",
  ],
  open: stateless((input) => {
    const config = refusedAs(() => parseApfConfig(input), isContractError);
    if (config === undefined) return;
    const text = serializeApfConfig(config);
    require(serializeApfConfig(parseApfConfig(text)) === text, "an accepted document is the same again");
  }),
};

/** User data gives files of the allow-lists only, or a UserDataError. */
export const cloudConfig: FuzzTarget = {
  name: "cloud-config",
  boundary: "user data: from the cloud's metadata to the pod VM",
  seeds: [
    Buffer.from(`#cloud-config\nwrite_files:\n- path: ${guestPaths.apfConfig}\n  content: |\n    {}\n`),
    Buffer.from(
      `#cloud-config\nwrite_files:\n- path: ${guestPaths.initdata}\n  content: ${encodeInitdata(DEFAULT_INITDATA_TOML)}\n` +
        `- path: /etc/passwd\n  content: x\n`,
    ),
  ],
  words: [
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "? ",
    "{",
    "[",
    "---\n",
    "- - - ",
    "%YAML 1.1\n",
    "|+9\n",
    "../",
    "\t",
  ],
  open: stateless((input) => {
    const isUserDataError = (error: unknown): boolean => error instanceof UserDataError;
    const entries = refusedAs(() => parseCloudConfig(input), isUserDataError);
    const plan = entries && refusedAs(() => planGuestFiles(entries), isUserDataError);
    const written = [guestPaths.initdata, guestPaths.initdataDigest, guestPaths.attestationAgentConfig];
    const allowed = [...userDataPaths, ...initdataPaths, ...written];
    for (const path of plan?.files.keys() ?? []) require(allowed.includes(path), `${path} may be written`);
  }),
};

const maxInitdataBytes = 64 * 1024;

/** The input is taken as encoded text, as gzip data and as TOML. Nothing grows beyond the limit. */
export const initdata: FuzzTarget = {
  name: "initdata",
  boundary: "initdata: from the pod's owner to the pod VM",
  seeds: [
    Buffer.from(DEFAULT_INITDATA_TOML),
    gzipSync(DEFAULT_INITDATA_TOML),
    gzipSync(Buffer.alloc(2 * maxInitdataBytes, 0x20)),
    Buffer.from(encodeInitdata(`algorithm = "sha384"\n[data]\n"cdh.toml" = '${canary}'\n`)),
  ],
  words: ['"__proto__" = "x"\n', "[[", "'''", "=", "sha512", "[data.a.b]\n", "\r\n", "inf", "1979-05-27"],
  open: stateless((input) => {
    const texts = [input.toString("latin1"), input.toString("base64"), encodeInitdata(input)];
    for (const text of texts) {
      const decoded = refusedAs(() => decodeInitdata(text, { maxBytes: maxInitdataBytes }), isContractError);
      let bytes = 0;
      for (const [name, content] of decoded?.data ?? []) bytes += name.length + content.length;
      require(bytes <= maxInitdataBytes, "the decoded document keeps the limit");
      require(decoded === undefined || /^[0-9a-f]{64,128}$/.test(decoded.digest), "a digest is hexadecimal");
    }
  }),
};

/** What comes out can be the name of one directory, and a filesystem type we know. */
export const cloudVolumes: FuzzTarget = {
  name: "cloud-volumes",
  boundary: "the cloud_volumes annotation of a container: from the worker node to the pod VM",
  seeds: [
    Buffer.from(
      JSON.stringify({
        data: { mount_point: "/data", fs_type: "ext4", lun: "1", disk_id: "vol-1", fs_group: "1000" },
        keys: { mount_point: "/keys", lun: "2", encrypt_type: "luks", key_id: "kbs:///a/b/c" },
      }),
    ),
  ],
  words: ['"__proto__":{}', '"..":', '"a/b":', "null", "\\u0000", '"constructor":'],
  open: stateless((input) => {
    const refused = (error: unknown): boolean => error instanceof ConnectError;
    for (const { name, lun } of refusedAs(() => parseCloudVolumes(input.toString()), refused) ?? []) {
      require(name !== "" && !name.includes("/") && name !== "..", "a name is one path component");
      require(!name.includes("\0"), "a name can be a file name");
      require(Number.isInteger(lun), "a lun is a whole number");
    }
  }),
};
