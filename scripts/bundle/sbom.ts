import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { PackageInside } from "./inside.ts";

/**
 * What is in a program, as CycloneDX 1.6 JSON. Without time and serial number: the same commit gives the same bytes.
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function sbomOf(
  program: { readonly name: string; readonly version: string },
  inside: readonly PackageInside[],
): string {
  const bom = new Models.Bom();
  bom.metadata.component = new Models.Component(Enums.ComponentType.Application, program.name, {
    version: program.version,
    bomRef: program.name,
  });
  for (const { name, version, license } of inside) {
    const [group, short] = name.startsWith("@") ? name.split("/") : [undefined, name];
    const component = new Models.Component(Enums.ComponentType.Library, short ?? name, {
      version,
      bomRef: `${name}@${version}`,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      ...(group === undefined ? {} : { group }),
    });
    component.licenses.add(new Models.LicenseExpression(license));
    bom.components.add(component);
    bom.metadata.component.dependencies.add(component.bomRef);
  }
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(factory).serialize(bom, { sortLists: true, space: 2 })}\n`;
}
