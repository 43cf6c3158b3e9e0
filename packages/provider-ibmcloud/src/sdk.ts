/**
 * The parts of the SDK that are used: authentication and one request. Only ever imported lazily, since it costs some 35 MiB.
 */
import { BaseService } from "ibm-cloud-sdk-core";

export { ContainerAuthenticator, IamAuthenticator } from "ibm-cloud-sdk-core";

/** One request, with a token. The SDK means it for generated clients, and no such client of the VPC API exists for Node. */
export class JsonService extends BaseService {
  async send(request: Parameters<BaseService["createRequest"]>[0]): Promise<{ readonly result: unknown }> {
    return (await this.createRequest(request)) as { readonly result: unknown };
  }
}
