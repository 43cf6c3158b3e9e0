/** The server name of every hop that listens with TLS; the Go program expects it. */
export const SERVER_NAME = "podvm-server";
