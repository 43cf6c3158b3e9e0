/** Run by `rootless.system.test.ts` as root of a user namespace: a pod VM from beginning to end, told as one line of JSON. */
import { mkdtemp, rm } from "node:fs/promises";
import { silentLogger, loadOptions } from "@peerpods/cloud-providers";
import { provider as local } from "../index.ts";

const options = loadOptions(local.options, { argv: process.argv.slice(2), env: process.env });
if ("help" in options) throw new Error("no help here");
const stateDir = await mkdtemp("/tmp/peerpods-rootless-");
try {
  const provider = await local.newProvider({
    config: options.values,
    logger: silentLogger,
    stateDir,
    env: {},
  });
  const call = { signal: AbortSignal.timeout(100_000), logger: silentLogger };
  const findings = await provider.configVerifier(call);
  const spec = {
    instanceType: "",
    vcpus: 0,
    memoryMiB: 0,
    gpus: 0,
    arch: "",
    image: "",
    multiNic: false,
    volumes: [],
  };
  const vm = await provider.createInstance(
    {
      token: "rootless-a1",
      name: "podvm-rootless",
      sandboxId: "rootless",
      podName: "rootless",
      podNamespace: "default",
      userData: "#cloud-config\n",
      spec,
      tags: { purpose: "test" },
    },
    call,
  );
  await provider.deleteInstance({ instanceId: vm.id, tags: {} }, call);
  const told = { findings, addresses: vm.addresses, uid: process.getuid?.() };
  process.stdout.write(`${JSON.stringify(told)}\n`);
} finally {
  await rm(stateDir, { recursive: true, force: true });
}
