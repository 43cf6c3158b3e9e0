import { fileURLToPath } from "node:url";
import { buildGoProgram } from "@peerpods/test-harness";
import { execa } from "execa";

/** Answer of a call, as protobuf's JSON: 64-bit numbers are text, bytes are base64. */
export type Answer = Readonly<Record<string, unknown>>;

/** The container runtime interface of one containerd, called as a kubelet calls it. */
export interface Cri {
  /** A call of `RuntimeService`. Fails with the gRPC status as the message. */
  runtime(method: string, request: object): Promise<Answer>;
  /** Runs a command in a container over the streaming server, with standard input. */
  exec(containerId: string, options: ExecOptions): Promise<ExecResult>;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly input: string;
  readonly tty: boolean;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Builds the client and points it at the endpoint. Needs Go. */
export async function connectCri(endpoint: string): Promise<Cri> {
  const source = fileURLToPath(new URL("../../cri-client", import.meta.url));
  const program = await buildGoProgram(source, "cri-client");
  const runtime: Cri["runtime"] = async (method, request) => {
    const input = JSON.stringify(request);
    const result = await execa(program, [endpoint, `RuntimeService/${method}`], { input, reject: false });
    if (result.exitCode === 0) return JSON.parse(result.stdout) as Answer;
    throw new Error(`${method}: ${result.stderr}`);
  };
  return {
    runtime,
    async exec(containerId, { command, input, tty }) {
      const request = { containerId, cmd: command, tty, stdin: true, stdout: true, stderr: !tty };
      const { url } = await runtime("Exec", request);
      return await stream(new URL(String(url)), input);
    },
  };
}

/** Streams of `v4.channel.k8s.io`, as the first byte of a message names them. */
const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3 } as const;

async function stream(url: URL, input: string): Promise<ExecResult> {
  url.protocol = "ws:";
  const socket = new WebSocket(url, "v4.channel.k8s.io");
  socket.binaryType = "arraybuffer";
  const received = Object.values(channels).map(() => "");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => socket.send(Buffer.concat([Buffer.of(channels.stdin), Buffer.from(input)]));
  socket.onmessage = ({ data }) => {
    const message = Buffer.from(data as ArrayBuffer);
    const [channel = 0] = message;
    received[channel] += message.toString("utf8", 1);
  };
  socket.onerror = () => reject(new Error(`the streaming server refuses ${url.href}`));
  socket.onclose = () => resolve();
  await promise;
  const [, stdout = "", stderr = "", status = ""] = received;
  return { exitCode: exitCodeOf(status), stdout, stderr };
}

/** The last message is a Kubernetes `Status`; a failure has the exit code among its causes. */
function exitCodeOf(text: string): number {
  const status = JSON.parse(text) as {
    status: string;
    details?: { causes?: { reason: string; message: string }[] };
  };
  if (status.status === "Success") return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
  if (cause === undefined) throw new Error(`exec failed: ${text}`);
  return Number(cause.message);
}
