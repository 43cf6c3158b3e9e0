import { describe, expect, it } from "vitest";
import { parseAnnotations } from "./annotations.ts";

const prefix = "io.katacontainers.config.hypervisor.";
const pod = {
  "io.kubernetes.cri.sandbox-name": "busy",
  "io.kubernetes.cri.sandbox-namespace": "default",
};

describe("parseAnnotations", () => {
  it("reads what the recorded shim sends", () => {
    expect(
      parseAnnotations({
        ...pod,
        [`${prefix}cc_init_data`]: "",
        [`${prefix}default_gpu_model`]: "",
        [`${prefix}default_gpus`]: "0",
        [`${prefix}default_memory`]: "768",
        [`${prefix}default_vcpus`]: "4",
        [`${prefix}image`]: "",
        [`${prefix}machine_type`]: "small.vm",
      }),
    ).toEqual({
      podName: "busy",
      podNamespace: "default",
      spec: {
        instanceType: "small.vm",
        vcpus: 4,
        memoryMiB: 768,
        gpus: 0,
        arch: "",
        image: "",
        multiNic: false,
        volumes: [],
      },
    });
  });

  it("takes absent keys as no wish", () => {
    expect(parseAnnotations(pod).spec).toMatchObject({ vcpus: 0, memoryMiB: 0, gpus: 0, image: "" });
  });

  it("hands on the pod's initdata", () => {
    expect(parseAnnotations({ ...pod, [`${prefix}cc_init_data`]: "x = 1" }).initdata).toBe("x = 1");
  });

  it.each([
    ["1.5", 2],
    ["0.1", 1],
    ["2.0", 2],
    ["007", 7],
  ])("rounds %s CPUs up to %i", (value, vcpus) => {
    expect(parseAnnotations({ ...pod, [`${prefix}default_vcpus`]: value }).spec.vcpus).toBe(vcpus);
  });

  it.each([
    ["k8s_web_default_0000-1111_0", "web"],
    ["k8s_web", "web"],
    ["web", "web"],
    ["my_pod", "my_pod"],
    ["k8sweb", "k8sweb"],
  ])("takes the pod's name from %s", (value, podName) => {
    expect(parseAnnotations({ ...pod, "io.kubernetes.cri.sandbox-name": value }).podName).toBe(podName);
  });

  it.each([
    ["io.kubernetes.cri.sandbox-name", ""],
    ["io.kubernetes.cri.sandbox-namespace", ""],
    ["io.kubernetes.cri.sandbox-name", "k8s__x"],
    ["io.kubernetes.cri.sandbox-name", "a".repeat(254)],
    ["io.kubernetes.cri.sandbox-namespace", "a\nb"],
    [`${prefix}default_vcpus`, "abc"],
    [`${prefix}default_vcpus`, "-1"],
    [`${prefix}default_vcpus`, "1e3"],
    [`${prefix}default_vcpus`, "0x10"],
    [`${prefix}default_vcpus`, " 1"],
    [`${prefix}default_memory`, "12GB"],
    [`${prefix}default_memory`, "99999999999"],
    [`${prefix}default_gpus`, "one"],
    [`${prefix}machine_type`, "a\0b"],
  ])("refuses %s = %j, naming it", (key, value) => {
    expect(() => parseAnnotations({ ...pod, [key]: value })).toThrow(
      expect.objectContaining({ code: "invalid_request", message: expect.stringContaining(key) }),
    );
  });
});
