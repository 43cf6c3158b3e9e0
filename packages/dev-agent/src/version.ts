/** Release of the kata agent whose answers this agent gives, marked as not being it. */
export const agentVersion = "4.1.0-dev-agent";

/** Version of the agent protocol, which has been the same ever since. */
export const apiVersion = "0.0.1";
