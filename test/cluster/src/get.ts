import { request } from "node:https";

/** Status of a GET with a bearer token, trusting only `ca`. */
export function get(url: string, ca: string, token: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    request(url, { ca, headers, timeout: 5_000, checkServerIdentity: () => undefined }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}
