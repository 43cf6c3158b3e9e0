/** What the provider `bench` asks of the cloud process, as JSON over HTTP on a unix socket. */
export interface RunInstance {
  readonly token: string;
  readonly name: string;
  readonly userData: string;
}

export interface RunningInstance {
  readonly id: string;
  readonly address: string;
}

/** Option of the provider: path of the cloud's socket. */
export const CLOUD_SOCKET_FLAG = "bench-cloud-socket";
