import { readFileSync } from "node:fs";
import { Ec2Error } from "./ec2-error.ts";
import type { Query } from "./query.ts";

interface Member {
  readonly shape: string;
  readonly locationName?: string;
  readonly queryName?: string;
}

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  readonly member?: Member;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
}

interface Description {
  readonly operations: Readonly<Record<string, { readonly input: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** A parameter tree: `A.1.B=x` is `{ A: { 1: { B: "x" } } }`. */
interface Tree {
  [name: string]: Tree | string;
}

const description = JSON.parse(
  readFileSync(new URL("../data/ec2-requests.json", import.meta.url), "utf8"),
) as Description;

/**
 * Holds a request against the published description of the API.
 * @throws Ec2Error for an unknown action or parameter, a missing one, or a value of the wrong kind.
 */
export function checkShape(action: string, query: Query): void {
  const operation = description.operations[action];
  if (operation === undefined)
    throw new Ec2Error("InvalidAction", `The action ${action} is not valid for this web service`);
  const { Action: _action, Version: _version, ...parameters } = treeOf(query);
  check(operation.input.shape, parameters, action);
}

function treeOf(query: Query): Tree {
  const root: Tree = {};
  for (const [key, value] of Object.entries(query)) {
    const path = key.split(".");
    const last = path.pop() ?? "";
    let node = root;
    for (const name of path) {
      const next = (node[name] ??= {});
      if (typeof next === "string")
        throw new Ec2Error("InvalidParameterCombination", `${key}: both a value and a structure`);
      node = next;
    }
    node[last] = value;
  }
  return root;
}

function check(shapeName: string, value: Tree | string, path: string): void {
  const shape = description.shapes[shapeName];
  if (shape === undefined) throw new Error(`the description of the API has no shape ${shapeName}`);
  switch (shape.type) {
    case "structure":
      checkStructure(shape, value, path);
      return;
    case "list":
      checkList(shape, value, path);
      return;
    default:
      checkScalar(shape, value, path);
  }
}

function checkStructure({ members = {}, required = [] }: Shape, value: Tree | string, path: string): void {
  if (typeof value === "string")
    throw new Ec2Error("InvalidParameterValue", `${path}: a value, not a structure`);
  const byWireName = new Map(
    Object.entries(members).map(([name, member]) => [wireName(name, member), member]),
  );
  for (const [name, inner] of Object.entries(value)) {
    const member = byWireName.get(name);
    if (member === undefined)
      throw new Ec2Error("UnknownParameter", `The parameter ${path}.${name} is not recognized`);
    check(member.shape, inner, `${path}.${name}`);
  }
  for (const name of required) {
    const member = members[name];
    if (member !== undefined && !(wireName(name, member) in value))
      throw new Ec2Error("MissingParameter", `The request must contain the parameter ${path}.${name}`);
  }
}

function checkList({ member }: Shape, value: Tree | string, path: string): void {
  if (typeof value === "string" || member === undefined)
    throw new Ec2Error("InvalidParameterValue", `${path}: a value, not a list`);
  for (const [number, inner] of Object.entries(value)) {
    if (!/^[1-9]\d*$/.test(number))
      throw new Ec2Error("UnknownParameter", `The parameter ${path}.${number} is not recognized`);
    check(member.shape, inner, `${path}.${number}`);
  }
}

function checkScalar(shape: Shape, value: Tree | string, path: string): void {
  const bad = (why: string) =>
    new Ec2Error("InvalidParameterValue", `Value (${JSON.stringify(value)}) for ${path} is invalid: ${why}`);
  if (typeof value !== "string") throw bad("a structure, not a value");
  switch (shape.type) {
    case "boolean":
      if (!["true", "false"].includes(value)) throw bad("not a boolean");
      return;
    case "integer":
    case "long":
    case "double":
    case "float": {
      const number = Number(value);
      if (value === "" || Number.isNaN(number)) throw bad("not a number");
      if (shape.min !== undefined && number < shape.min) throw bad(`below ${shape.min}`);
      if (shape.max !== undefined && number > shape.max) throw bad(`above ${shape.max}`);
      return;
    }
    default:
      if (shape.enum !== undefined && !shape.enum.includes(value)) throw bad("not one of the allowed words");
      if (shape.min !== undefined && value.length < shape.min) throw bad(`shorter than ${shape.min}`);
      if (shape.max !== undefined && value.length > shape.max) throw bad(`longer than ${shape.max}`);
  }
}

/** The EC2 query protocol: the query name, else the location name with a capital, else the member's own. */
function wireName(name: string, { queryName, locationName }: Member): string {
  if (queryName !== undefined) return queryName;
  const wire = locationName ?? name;
  return wire.charAt(0).toUpperCase() + wire.slice(1);
}
