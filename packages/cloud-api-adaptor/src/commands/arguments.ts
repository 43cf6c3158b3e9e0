/** What the help says of arguments that several commands take. */
export const providerArgument = "name of a provider, as `peerpods providers` lists them";
export const flagsArgument = "the daemon's flags, as it would be started with; its environment counts too";
