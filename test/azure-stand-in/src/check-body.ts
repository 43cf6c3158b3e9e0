import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { ArmError } from "./arm-error.ts";

interface Described {
  readonly resources: Readonly<Record<string, { readonly apiVersion: string; readonly body: object }>>;
  readonly definitions: object;
}

const described = JSON.parse(
  readFileSync(new URL("../data/arm-requests.json", import.meta.url), "utf8"),
) as Described;
const validators = new Map<string, ValidateFunction>();

/** The version of the API that is described for a type, if it is. */
export function describedVersion(type: string): string | undefined {
  return described.resources[type]?.apiVersion;
}

/**
 * Holds the body of a request against the published description of its resource.
 * @throws ArmError `InvalidRequestContent` that names what is unknown, missing or of the wrong kind.
 */
export function checkBody(type: string, body: unknown): void {
  const validate = validators.get(type) ?? compile(type);
  validators.set(type, validate);
  if (validate(body)) return;
  const [first] = validate.errors ?? [];
  const what = first?.params["additionalProperty"] ?? "";
  throw new ArmError(
    400,
    "InvalidRequestContent",
    `The request content was invalid: ${first?.instancePath} ${first?.message} ${String(what)}`,
  );
}

function compile(type: string): ValidateFunction {
  const resource = described.resources[type];
  if (resource === undefined) throw new Error(`no description of ${type}`);
  return new Ajv({ strict: false, validateFormats: false }).compile({
    ...resource.body,
    definitions: described.definitions,
  });
}
