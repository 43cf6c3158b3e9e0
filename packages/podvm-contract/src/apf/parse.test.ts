import { describe, expect, it } from "vitest";
import { PodVMContractError } from "../errors.ts";
import { MAX_APF_BYTES, parseApfConfig } from "./parse.ts";

function refusalOf(text: string | Uint8Array): PodVMContractError {
  try {
    parseApfConfig(text);
  } catch (error) {
    if (error instanceof PodVMContractError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

const network = (fields: object) => parseApfConfig(JSON.stringify({ "pod-network": fields })).podNetwork;

describe("parseApfConfig accepts", () => {
  it.each([["{}"], ['{"pod-network":null,"pod-name":null,"tls-cipher-suites":null,"tls-server-key":""}']])(
    "nothing at all: %s",
    (text) => {
      expect(parseApfConfig(text)).toEqual({ podNamespace: "", podName: "" });
    },
  );

  it("keys in any case, unknown keys, and bytes", () => {
    const text = `{"Pod-Name":"web","other":[1],"POD-NETWORK":{"Routes":[{"Dst":"10.0.0.0/8","GW":"10.1.0.1","Dev":"eth0"}]}}`;
    const config = parseApfConfig(Buffer.from(text));
    expect(config.podName).toBe("web");
    expect(config.podNetwork?.routes).toEqual([{ dst: "10.0.0.0/8", gw: "10.1.0.1", dev: "eth0" }]);
  });

  it("an empty network, with every value unset", () => {
    expect(network({})).toEqual({
      podIp: "",
      podHwAddr: "",
      interface: "",
      workerNodeIp: "",
      tunnelType: "",
      routes: [],
      neighbors: [],
      mtu: 0,
      index: 0,
      dedicated: false,
      externalNetViaPodVm: false,
    });
  });

  it.each([["::ffff:0.0.0.0/0"], ["0.0.0.0/0"], [""], ["::FFFF:0.0.0.0/96"]])(
    "default route written as %j",
    (dst) => {
      expect(network({ routes: [{ dst, gw: "10.0.0.1" }] })?.routes).toEqual([
        { dst: "0.0.0.0/0", gw: "10.0.0.1" },
      ]);
    },
  );

  it("every word for protocol, scope and state", () => {
    const words = {
      routes: [{ dst: "", protocol: "dhcp", scope: "nowhere" }],
      neighbors: [{ ip: "1.2.3.4" }],
    };
    expect(network(words)?.routes[0]).toMatchObject({ protocol: "dhcp", scope: "nowhere" });
    expect(network(words)?.neighbors).toEqual([{ ip: "1.2.3.4", state: "none" }]);
  });
});

describe("parseApfConfig refuses", () => {
  it.each([
    ["no JSON", "apf", "one JSON document"],
    ["text after the document", "{} {}", "one JSON document"],
    ["a list", "[]", "document"],
    ["a number as name", '{"pod-name":7}', "pod-name"],
    ["a key twice in different case", '{"pod-name":"a","Pod-Name":"b"}', "pod-name"],
    ["an address without length", '{"pod-network":{"podip":"10.0.0.1"}}', "pod-network.podip"],
    [
      "a mapped prefix no reader agrees on",
      '{"pod-network":{"podip":"::ffff:10.0.0.1/64"}}',
      "pod-network.podip",
    ],
    ["a length above 32", '{"pod-network":{"podip":"10.0.0.1/33"}}', "pod-network.podip"],
    ["a zone", '{"pod-network":{"podip":"fe80::1%eth0/64"}}', "pod-network.podip"],
    [
      "a gateway that is none",
      '{"pod-network":{"routes":[{"dst":"","gw":"router"}]}}',
      "pod-network.routes.0.gw",
    ],
    [
      "an unknown protocol",
      '{"pod-network":{"routes":[{"protocol":"bgp"}]}}',
      "pod-network.routes.0.protocol",
    ],
    ["an unknown scope", '{"pod-network":{"routes":[{"scope":"galaxy"}]}}', "pod-network.routes.0.scope"],
    [
      "an unknown state",
      '{"pod-network":{"neighbors":[{"state":"asleep"}]}}',
      "pod-network.neighbors.0.state",
    ],
    ["a MAC address that is none", '{"pod-network":{"pod-hw-addr":"0a:58"}}', "pod-network.pod-hw-addr"],
    ["a command in a name", '{"pod-network":{"interface":"a\\nlink del b"}}', "pod-network.interface"],
    ["an option as a name", '{"pod-network":{"interface":"-force"}}', "pod-network.interface"],
    ["a fraction", '{"pod-network":{"mtu":1.5}}', "pod-network.mtu"],
    ["an id above 24 bits", '{"pod-network":{"vxlan-id":16777216}}', "pod-network.vxlan-id"],
    ["a port above 65535", '{"pod-network":{"vxlan-port":65536}}', "pod-network.vxlan-port"],
    ["a word for a truth value", '{"pod-network":{"dedicated":"yes"}}', "pod-network.dedicated"],
  ])("%s", (_what, text, named) => {
    const { code, message } = refusalOf(text);
    expect(code).toBe("invalid_apf");
    expect(message).toContain(named);
  });

  it("a file above the limit, before reading it", () => {
    expect(refusalOf(" ".repeat(MAX_APF_BYTES + 1)).code).toBe("too_large");
    expect(refusalOf(new Uint8Array(MAX_APF_BYTES + 1)).code).toBe("too_large");
    expect(parseApfConfig(`{}${" ".repeat(MAX_APF_BYTES - 2)}`)).toEqual({ podNamespace: "", podName: "" });
  });

  it.each([
    ['{"tls-server-key":"CANARY"'],
    ['{"tls-server-key":["CANARY"]}'],
    ['{"tls-server-key":CANARY}'],
    ['{"tls-server-key":"CANARY","pod-name":1}'],
  ])("without telling the key: %s", (text) => {
    const { message, cause } = refusalOf(text);
    expect(message).not.toContain("CANARY");
    expect(cause).toBeUndefined();
  });
});
