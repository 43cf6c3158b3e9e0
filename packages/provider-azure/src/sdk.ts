/**
 * What is used of the SDK: its HTTP pipeline and its credentials. Only ever imported lazily.
 *
 * Not its packages for Compute and Network: bundled, those add 45 MiB before the first call, this adds 26. They also bind
 * each call to a version of the API that no description is published of, and wait for what goes on in the background on
 * timers of their own.
 */
export {
  agentPolicy,
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type Pipeline,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
export { ClientSecretCredential, WorkloadIdentityCredential } from "@azure/identity";
