/** Where a server listens: the path of a unix socket, or host and port of a TCP one. */
export type TtrpcAddress = { readonly path: string } | { readonly host: string; readonly port: number };
