import type { Facts, PackageFacts } from "../facts/facts.ts";

const CONTRACT = "@peerpods/cloud-providers";
const CONTROLLER = "@peerpods/peerpod-ctrl";
const ADAPTOR = "@peerpods/cloud-api-adaptor";

/**
 * One `cloud-providers` everywhere: the adaptor brings a controller along, and both load providers, whose errors and
 * abilities they know by the contract's classes.
 */
export function differentContracts({ packages }: Facts): readonly string[] {
  const named = (name: string): PackageFacts | undefined => packages.find((one) => one.name === name);
  const adaptor = named(ADAPTOR);
  const controller = named(CONTROLLER);
  if (adaptor === undefined || controller === undefined) return [];
  const adaptors = specOf(adaptor, CONTRACT);
  const controllers = contractOfController(adaptor, controller);
  if (adaptors === controllers.contract) return [];
  return [
    `${ADAPTOR} would resolve ${CONTRACT} ${adaptors ?? "(none)"} and ${CONTROLLER} ${controllers.version} ` +
      `${controllers.contract ?? "(none)"}: write the same exact version in both, or run pnpm release, which does it`,
  ];
}

/** Of the controller that the adaptor pins: the one of the workspace while the versions match, else the published one. */
function contractOfController(
  adaptor: PackageFacts,
  controller: PackageFacts,
): { readonly version: string; readonly contract: string | undefined } {
  const pinned = specOf(adaptor, CONTROLLER);
  if (pinned === undefined || pinned === controller.version)
    return { version: controller.version, contract: specOf(controller, CONTRACT) };
  return { version: pinned, contract: controller.published.versions.get(pinned)?.dependencies[CONTRACT] };
}

function specOf({ dependencies }: PackageFacts, sibling: string): string | undefined {
  return dependencies.find(({ name }) => name === sibling)?.spec;
}
