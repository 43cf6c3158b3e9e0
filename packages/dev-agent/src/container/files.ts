import { join } from "node:path";

/** Where the agent keeps what belongs to a container, apart from its root file system. */
export interface ContainerFiles {
  readonly id: string;
  readonly directory: string;
  readonly bundle: string;
  readonly config: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** For the pipes of a process until they are open. */
  readonly scratch: string;
}

/** @param id checked with `checkId`, because it becomes part of paths. */
export function containerFiles(stateDirectory: string, id: string): ContainerFiles {
  const directory = join(stateDirectory, "containers", id);
  const bundle = join(directory, "bundle");
  return {
    id,
    directory,
    bundle,
    config: join(bundle, "config.json"),
    pidFile: join(directory, "init.pid"),
    logFile: join(directory, "init.log"),
    scratch: join(directory, "init.pipes"),
  };
}

/** The files of one exec, in the directory of its container. */
export function execFiles(files: ContainerFiles, execId: string) {
  const path = (suffix: string) => join(files.directory, `exec-${execId}.${suffix}`);
  return { specFile: path("json"), pidFile: path("pid"), logFile: path("log"), scratch: path("pipes") };
}
