import { slot, When } from "../slot.ts";

/** Tokens of the service account by which clouds know the daemon without a stored key. */
const tokens = [
  {
    name: "ibmcloud-token",
    condition: slot('hasPrefix "ibmcloud" .Values.provider', ({ values }) =>
      values.provider.startsWith("ibmcloud"),
    ),
    audience: "iam",
    path: "/var/run/secrets/tokens",
    file: "vault-token",
  },
  {
    name: "alibabacloud-token",
    condition: slot(".Values.alibabacloud.rrsa.enable", ({ values }) => values.alibabacloud.rrsa.enable),
    audience: "sts.aliyuncs.com",
    path: "/var/run/secrets/ack.alibabacloud.com/rrsa-tokens",
    file: "token",
  },
];

export const tokenMounts = tokens.map(
  ({ condition, name, path }) => new When(condition, { name, mountPath: path, readOnly: true }),
);

export const tokenVolumes = tokens.map(
  ({ condition, name, audience, file }) =>
    new When(condition, {
      name,
      projected: {
        sources: [{ serviceAccountToken: { audience, expirationSeconds: 3_600, path: file } }],
      },
    }),
);
