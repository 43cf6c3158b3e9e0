import { describe, expect, it } from "vitest";
import type { ApfConfig } from "./config.ts";
import { parseApfConfig } from "./parse.ts";
import { serializeApfConfig } from "./serialize.ts";

const full: ApfConfig = {
  podNetwork: {
    podIp: "10.128.0.2/24",
    podHwAddr: "0a:58:0a:84:03:ce",
    interface: "eth0",
    workerNodeIp: "192.0.2.10/24",
    tunnelType: "vxlan",
    routes: [
      { dst: "0.0.0.0/0", gw: "10.128.0.1", dev: "eth0" },
      { dst: "10.128.0.0/24", dev: "eth0", protocol: "kernel", scope: "link" },
    ],
    neighbors: [{ ip: "10.128.0.1", hwAddr: "0a:58:0a:84:03:01", dev: "eth0", state: "permanent" }],
    mtu: 1450,
    index: 3,
    vxlanPort: 4789,
    vxlanId: 555_003,
    dedicated: false,
    externalNetViaPodVm: true,
  },
  podNamespace: "team-a",
  podName: "web-0",
  tlsServerKey: "-----BEGIN X-----\nkey\n-----END X-----\n",
  tlsServerCert: "-----BEGIN X-----\ncert\n-----END X-----\n",
  tlsClientCa: "-----BEGIN X-----\nca\n-----END X-----\n",
  tlsMinVersion: "VersionTLS12",
  tlsCipherSuites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", " TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
};

// The bytes Go's encoding/json makes of the same values.
const fullBytes = String.raw`{
    "pod-network": {
        "podip": "10.128.0.2/24",
        "pod-hw-addr": "0a:58:0a:84:03:ce",
        "interface": "eth0",
        "worker-node-ip": "192.0.2.10/24",
        "tunnel-type": "vxlan",
        "routes": [
            {
                "dst": "::ffff:0.0.0.0/0",
                "gw": "10.128.0.1",
                "dev": "eth0"
            },
            {
                "dst": "10.128.0.0/24",
                "gw": "",
                "dev": "eth0",
                "protocol": "kernel",
                "scope": "link"
            }
        ],
        "neighbors": [
            {
                "ip": "10.128.0.1",
                "hw-addr": "0a:58:0a:84:03:01",
                "dev": "eth0",
                "state": "permanent"
            }
        ],
        "mtu": 1450,
        "index": 3,
        "vxlan-port": 4789,
        "vxlan-id": 555003,
        "dedicated": false,
        "external-net-via-pod-vm": true
    },
    "pod-namespace": "team-a",
    "pod-name": "web-0",
    "tls-server-key": "-----BEGIN X-----\nkey\n-----END X-----\n",
    "tls-server-cert": "-----BEGIN X-----\ncert\n-----END X-----\n",
    "tls-client-ca": "-----BEGIN X-----\nca\n-----END X-----\n",
    "tls-min-version": "VersionTLS12",
    "tls-cipher-suites": [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        " TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    ]
}`;

describe("serializeApfConfig", () => {
  it("writes every field byte for byte", () => {
    expect(serializeApfConfig(full)).toBe(fullBytes);
  });

  it("reads back what it wrote", () => {
    expect(parseApfConfig(serializeApfConfig(full))).toEqual(full);
  });

  it("leaves out what is empty and writes empty lists and a missing network as null", () => {
    const config = {
      podNetwork: undefined,
      podNamespace: "",
      podName: "",
      tlsServerKey: "",
      tlsCipherSuites: [],
    };
    expect(serializeApfConfig(config)).toBe(
      ["{", `    "pod-network": null,`, `    "pod-namespace": "",`, `    "pod-name": ""`, "}"].join("\n"),
    );
    const podNetwork = {
      ...full.podNetwork!,
      workerNodeIp: "",
      podHwAddr: "",
      routes: [],
      neighbors: [],
      mtu: 0,
      vxlanPort: undefined,
      vxlanId: 0,
    };
    expect(serializeApfConfig({ ...config, podNetwork })).toBe(String.raw`{
    "pod-network": {
        "podip": "10.128.0.2/24",
        "pod-hw-addr": "",
        "interface": "eth0",
        "worker-node-ip": "",
        "tunnel-type": "vxlan",
        "routes": null,
        "neighbors": null,
        "mtu": 0,
        "index": 3,
        "dedicated": false,
        "external-net-via-pod-vm": true
    },
    "pod-namespace": "",
    "pod-name": ""
}`);
  });

  it("escapes as Go does, and replaces what is not Unicode", () => {
    const podName = "<a>&'\"\\/ \u2028\u2029\u007F\b\f\n\r\t\u0001\u001F é😀\uD800";
    const line = serializeApfConfig({ podNamespace: "", podName }).split("\n")[3];
    expect(line).toBe(
      `    "pod-name": "${String.raw`\u003ca\u003e\u0026'\"\\/ \u2028\u2029`}\u007F${String.raw`\b\f\n\r\t\u0001\u001f`} é😀\uFFFD"`,
    );
  });
});
