/** Directory that the kata shim's requests name for everything of a sandbox. Made anew by CreateSandbox. */
export const kataDirectory = "/run/kata-containers";

/** Where CopyFile may write, and where disk emptyDirs live. */
export const sharedDirectory = `${kataDirectory}/shared/containers`;

/** The agent's own state: the runtime's state, pid files and pipes. */
export const stateDirectory = "/run/dev-agent";

/** Registry credentials that the pod VM was given, in the format of containers-auth.json. */
export const authFile = "/run/peerpod/auth.json";

/** The container that holds the sandbox: `config.json` names the program, `rootfs` has it. */
export const pauseBundle = "/pause_bundle";

/** OCI layouts that the VM was given, by image name. */
export const imageRoot = "/run/peerpod-images";
