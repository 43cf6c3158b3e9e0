import { createCheck } from "@peerpods/cloud-providers";

/** What one check found, in words about IBM Cloud. */
export const findingsOf = createCheck({
  remedies: {
    unauthorized: "give a valid api-key or trusted profile, with the role that the message names",
    not_found: "name one that exists in this region and account",
    unavailable:
      "see that vpc-service-url, iam-service-url and ibmcloud-http-proxy are right and that this machine reaches IBM Cloud",
  },
  subjects: {
    unauthorized: "credentials",
    unavailable: "vpc-service-url",
  },
});
