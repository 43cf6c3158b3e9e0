/** Parameters of one call by their wire names, e.g. `Filter.1.Value.1`. */
export type Query = Readonly<Record<string, string>>;

/** Values of a list parameter, e.g. `InstanceId.1`, `InstanceId.2`. */
export function listOf(query: Query, name: string): string[] {
  return numbersOf(query, name).flatMap((number) => query[`${name}.${number}`] ?? []);
}

/** Members of a list of structures: their parameters without the prefix. */
export function structuresOf(query: Query, name: string): Query[] {
  return numbersOf(query, name).map((number) => below(query, `${name}.${number}.`));
}

/** Parameters below a prefix, without it. */
export function below(query: Query, prefix: string): Query {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Without the parameters of these names and below them. */
export function without(query: Query, ...names: readonly string[]): Query {
  return Object.fromEntries(
    Object.entries(query).filter(
      ([key]) => !names.some((name) => key === name || key.startsWith(`${name}.`)),
    ),
  );
}

/** Tags of a resource type in `TagSpecification`. */
export function tagsOf(query: Query, resourceType: string): { key: string; value: string }[] {
  return structuresOf(query, "TagSpecification")
    .filter((specification) => specification["ResourceType"] === resourceType)
    .flatMap((specification) => structuresOf(specification, "Tag"))
    .map((tag) => ({ key: tag["Key"] ?? "", value: tag["Value"] ?? "" }));
}

function numbersOf(query: Query, name: string): number[] {
  const numbers = Object.keys(query)
    .filter((key) => key.startsWith(`${name}.`))
    .map((key) => Number(key.slice(name.length + 1).split(".")[0]));
  return [...new Set(numbers)].sort((a, b) => a - b);
}
