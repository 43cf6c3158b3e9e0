import { findProgram, findTool, type Program } from "./programs.ts";

/** The programs of the VM that the agent drives. */
export interface Tools extends ImageTools {
  /** PATH for the programs below. */
  readonly searchPath: string;
  /** crun or runc. */
  readonly runtime: string;
  readonly shell: string;
  readonly mkfifo: Program;
  readonly mount: Program;
  readonly umount: Program;
  readonly stty: Program;
  readonly unshare: Program;
  readonly hostname: Program;
  readonly cp: Program;
  readonly busybox: string | undefined;
  /** Gives terminals; absent is an error only when a terminal is asked for. */
  readonly script: string | undefined;
}

/** The programs that fetch and unpack images; absent is an error only when one is needed. */
export interface ImageTools {
  readonly skopeo: string | undefined;
  readonly umoci: string | undefined;
}

/**
 * Looks the programs up once.
 * @throws Error that names what is missing.
 */
export async function findTools(options: {
  readonly searchPath: string;
  /** Name or path of the OCI runtime; default: crun, else runc. */
  readonly runtime?: string;
}): Promise<Tools> {
  const { searchPath, runtime: wanted } = options;
  const runtime = wanted?.startsWith("/")
    ? wanted
    : await findProgram(wanted ? [wanted] : ["crun", "runc"], searchPath);
  if (runtime === undefined)
    throw new Error(
      `cannot find ${wanted ?? "crun nor runc"} in ${searchPath}: install it, or name one with -runtime`,
    );
  const shell = await findProgram(["sh"], searchPath);
  if (shell === undefined) throw new Error(`cannot find sh in ${searchPath}`);
  const tool = (name: string) => findTool(name, searchPath);
  return {
    searchPath,
    runtime,
    shell,
    mkfifo: await tool("mkfifo"),
    mount: await tool("mount"),
    umount: await tool("umount"),
    stty: await tool("stty"),
    unshare: await tool("unshare"),
    hostname: await tool("hostname"),
    cp: await tool("cp"),
    busybox: await findProgram(["busybox"], searchPath),
    script: await findProgram(["script"], searchPath),
    ...(await findImageTools(searchPath)),
  };
}

export async function findImageTools(searchPath: string): Promise<ImageTools> {
  return {
    skopeo: await findProgram(["skopeo"], searchPath),
    umoci: await findProgram(["umoci"], searchPath),
  };
}
