import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { createMethodImplSpec, createServiceImplSpec } from "@connectrpc/connect";
import type { ConnectRouter, MethodImplSpec } from "@connectrpc/connect";

/** Implementations by service name, then by method name, as they come in requests. */
export type Routes = ReadonlyMap<string, ReadonlyMap<string, MethodImplSpec>>;

/**
 * Collects what `register` gives to a Connect router. Handlers are called directly, without the HTTP protocols of
 * Connect in between, so the router's `handlers` stay empty and its per-service options have no meaning here.
 *
 * @throws Error for a method registered twice, or for options.
 */
export function collectRoutes(register: (router: ConnectRouter) => void): Routes {
  const routes = new Map<string, Map<string, MethodImplSpec>>();

  function add(method: DescMethod, spec: MethodImplSpec): void {
    const service = method.parent.typeName;
    const methods = routes.get(service) ?? new Map<string, MethodImplSpec>();
    routes.set(service, methods);
    if (methods.has(method.name)) throw new Error(`${service}/${method.name} is registered twice`);
    methods.set(method.name, spec);
  }

  function refuseOptions(name: string, options: object | undefined): void {
    if (options !== undefined && Object.keys(options).length > 0) {
      throw new Error(
        `${name}: router options (${Object.keys(options).join(", ")}) have no effect over ttrpc`,
      );
    }
  }

  const router: ConnectRouter = {
    handlers: [],
    service(service: DescService, implementation, options) {
      refuseOptions(service.typeName, options);
      const { methods } = createServiceImplSpec(service, implementation);
      for (const spec of Object.values(methods)) add(spec.method, spec);
      return router;
    },
    rpc(method, implementation, options) {
      refuseOptions(method.name, options);
      add(method, createMethodImplSpec(method, implementation));
      return router;
    },
  };
  register(router);
  return routes;
}
