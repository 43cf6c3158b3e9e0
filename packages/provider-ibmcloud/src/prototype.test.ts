import { testRequest } from "@peerpods/cloud-providers/testing";
import { loadOptions } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import { ibmcloudConfig } from "./config.ts";
import { ibmcloudOptions } from "./options.ts";
import { instancePrototype, requestDigest } from "./prototype.ts";
import { fromUserTags } from "./tags.ts";

const id = (number: number) => `09a1-5a7e0000-0000-4000-8000-${String(number).padStart(12, "0")}`;

function prototype(
  options: Parameters<typeof testRequest>[0] = {},
  {
    env = {},
    argv = [],
    arch = "amd64",
  }: { env?: Readonly<Record<string, string>>; argv?: readonly string[]; arch?: string } = {},
) {
  const loaded = loadOptions(ibmcloudOptions, {
    argv,
    env: {
      IBMCLOUD_API_KEY: "k",
      IBMCLOUD_PODVM_IMAGE_ID: id(1),
      IBMCLOUD_PODVM_INSTANCE_PROFILE_NAME: "bx2-2x8",
      ...env,
    },
  });
  if ("help" in loaded) throw new Error("no help was asked for");
  const request = testRequest({ sandboxId: "ab".repeat(32), ...options });
  return {
    request,
    body: instancePrototype(request, {
      config: ibmcloudConfig(loaded.values),
      settings: {
        zone: "eu-de-1",
        subnet: id(2),
        vpc: id(3),
        resourceGroup: "",
        securityGroups: [id(4), id(5)],
        dedicated: [],
      },
      placement: { instanceType: "bx2-2x8", zone: "eu-de-1" },
      image: id(1),
      arch,
    }),
  };
}

describe("the prototype of an instance", () => {
  it("is named after the token and holds all that the pod's VM is", () => {
    const { request, body } = prototype();
    expect(body).toMatchObject({
      name: `pp-${request.token}`,
      zone: { name: "eu-de-1" },
      profile: { name: "bx2-2x8" },
      image: { id: id(1) },
      vpc: { id: id(3) },
      keys: [],
      user_data: request.userData,
      metadata_service: { enabled: true, protocol: "http" },
      confidential_compute_mode: "disabled",
      enable_secure_boot: false,
      primary_network_interface: { subnet: { id: id(2) }, security_groups: [{ id: id(4) }, { id: id(5) }] },
    });
    expect(body).not.toHaveProperty("network_interfaces");
    expect(body).not.toHaveProperty("resource_group");
  });

  it("marks the boot volume, with the name that a person knows and what was asked for", () => {
    const { request, body } = prototype({}, { env: { TAGS: "team:payments" } });
    const { user_tags: userTags } = body.boot_volume_attachment.volume;
    expect(fromUserTags(userTags)).toEqual({
      team: "payments",
      ...request.tags,
      "peerpods-name": request.name,
      "peerpods-request": requestDigest(request),
    });
  });

  it.each([
    ["tdx with secure boot", "amd64", { confidential_compute_mode: "tdx", enable_secure_boot: true }],
    ["Secure Execution by profile and image alone", "s390x", {}],
  ])("asks for a confidential VM: %s", (_how, arch, mode) => {
    const { body } = prototype({}, { env: { DISABLECVM: "false" }, arch });
    const { confidential_compute_mode: asked, enable_secure_boot: boot } = body as Readonly<
      Record<string, unknown>
    >;
    expect({
      ...(asked === undefined ? {} : { confidential_compute_mode: asked, enable_secure_boot: boot }),
    }).toEqual(mode);
  });

  it("has the tunnel's interface before the pod's own", () => {
    const argv = ["-secondary-subnet-id", id(6), "-secondary-security-group-id", id(7)];
    const { body } = prototype({ spec: { multiNic: true } }, { argv });
    expect(body.network_interfaces).toEqual([
      { name: "tunnel", subnet: { id: id(6) }, security_groups: [{ id: id(7) }], allow_ip_spoofing: true },
      {
        name: "egress",
        subnet: { id: id(2) },
        security_groups: [{ id: id(4) }, { id: id(5) }],
        allow_ip_spoofing: true,
      },
    ]);
  });

  it("attaches volumes in their order and never deletes them", () => {
    const { body } = prototype({ spec: { volumes: [{ diskId: id(8) }, { diskId: id(9) }] } });
    expect(body.volume_attachments).toEqual([
      { name: "data-00", delete_volume_on_instance_delete: false, volume: { id: id(8) } },
      { name: "data-01", delete_volume_on_instance_delete: false, volume: { id: id(9) } },
    ]);
  });

  it("is another request when anything of it is another", () => {
    const { request } = prototype();
    expect(requestDigest({ ...request, userData: `${request.userData}x` })).not.toBe(requestDigest(request));
    expect(requestDigest({ ...request, placement: { instanceType: "a", zone: "b" } })).not.toBe(
      requestDigest(request),
    );
    expect(requestDigest({ ...request })).toBe(requestDigest(request));
  });
});
