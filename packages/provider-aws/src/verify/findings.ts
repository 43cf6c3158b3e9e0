import { createCheck } from "@peerpods/cloud-providers";

/** What one check found, in words about EC2. */
export const findingsOf = createCheck({
  remedies: {
    unauthorized:
      "give valid credentials (aws-access-key-id and aws-secret-key, aws-profile, or a role) that may make the call",
    not_found: "name one that exists in this region and account",
    quota_exceeded: "ask AWS for a higher quota, or use smaller or fewer pod VMs",
    unavailable:
      "see that aws-region, aws-endpoint and aws-http-proxy are right and that this machine reaches AWS",
  },
  subjects: {
    unauthorized: "credentials",
    unavailable: "aws-endpoint",
  },
});
