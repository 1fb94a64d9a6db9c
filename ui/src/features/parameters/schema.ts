/** JSON schemas of flows' parameters, made ready for a form. */

export interface Schema {
  [key: string]: unknown;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema | Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  $ref?: string;
  definitions?: Record<string, Schema>;
  $defs?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  prefixItems?: Schema[];
  position?: number;
}

export type UiSchema = Record<string, unknown>;

export interface Prepared {
  schema: Schema;
  ui: UiSchema;
  /** Top-level parameters that may be none: left empty, they are sent as null. */
  nullable: string[];
}

const isNull = (schema: Schema) => schema.type === "null";

/** Python's `X | None` is `anyOf [X, null]`: for a form that is X, which may be left empty. */
export function withoutNull(schema: Schema): { schema: Schema; nullable: boolean } {
  for (const key of ["anyOf", "oneOf"] as const) {
    const options = schema[key];
    if (!options?.some(isNull)) continue;
    const rest = options.filter((option) => !isNull(option));
    const { [key]: _, ...outside } = schema;
    if (outside.default === null) delete outside.default;
    const [only] = rest;
    return {
      schema: rest.length === 1 && only ? { ...only, ...outside } : { ...outside, [key]: rest },
      nullable: true,
    };
  }
  if (Array.isArray(schema.type) && schema.type.includes("null")) {
    const types = schema.type.filter((type) => type !== "null");
    return { schema: { ...schema, type: types.length === 1 ? types[0] : types }, nullable: true };
  }
  return { schema, nullable: false };
}

export function resolve(schema: Schema, root: Schema): Schema {
  if (typeof schema.$ref !== "string") return schema;
  const found = schema.$ref
    .replace(/^#\//, "")
    .split("/")
    .reduce<unknown>(
      (at, part) => (at && typeof at === "object" ? (at as Record<string, unknown>)[part] : undefined),
      root,
    );
  const { $ref: _, ...own } = schema;
  return found ? resolve({ ...(found as Schema), ...own }, root) : own;
}

/** Whether a form can show it: else it is edited as JSON. */
function isFree(schema: Schema, root: Schema): boolean {
  const resolved = resolve(schema, root);
  if (resolved.enum || resolved.const !== undefined || resolved.anyOf || resolved.oneOf || resolved.allOf) return false;
  if (resolved.type === "object") return Object.keys(resolved.properties ?? {}).length === 0;
  if (resolved.type === "array") {
    if (resolved.prefixItems || Array.isArray(resolved.items) || !resolved.items) return true;
    return isFree(resolved.items, root);
  }
  return resolved.type === undefined || Array.isArray(resolved.type);
}

export function prepare(schema: Schema): Prepared {
  const nullable: string[] = [];
  const definitions = schema.definitions ?? schema.$defs;
  const key = schema.definitions ? "definitions" : "$defs";
  const prepared: Schema = {
    ...schema,
    title: undefined,
    type: "object",
    ...(definitions
      ? { [key]: Object.fromEntries(Object.entries(definitions).map(([name, inner]) => [name, simplify(inner)])) }
      : {}),
  };
  const ui: UiSchema = {};
  const properties: Record<string, Schema> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const { schema: plain, nullable: may } = withoutNull(property);
    if (may) nullable.push(name);
    properties[name] = { ...simplify(plain), title: name };
    const hints = hintsOf(plain, prepared);
    if (Object.keys(hints).length) ui[name] = hints;
  }
  const names = Object.keys(properties).sort((a, b) => (properties[a]?.position ?? 0) - (properties[b]?.position ?? 0));
  ui["ui:order"] = [...names, "*"];
  prepared.properties = properties;
  return { schema: prepared, ui, nullable };
}

/** Alternatives are chosen by what they are: a model by its name, others by their type. */
function titled(schema: Schema): Schema {
  const name = (option: Schema): Schema => ({
    ...option,
    title: option.title ?? option.$ref?.replace(/^.*\//, "") ?? typeOf(option, option),
  });
  return {
    ...schema,
    ...(schema.anyOf ? { anyOf: schema.anyOf.map(name) } : {}),
    ...(schema.oneOf ? { oneOf: schema.oneOf.map(name) } : {}),
  };
}

/** The same inside of nested models. */
function simplify(schema: Schema): Schema {
  const plain = titled(withoutNull(schema).schema);
  if (!plain.properties) return plain;
  return {
    ...plain,
    properties: Object.fromEntries(Object.entries(plain.properties).map(([name, inner]) => [name, simplify(inner)])),
  };
}

function hintsOf(schema: Schema, root: Schema, depth = 0): UiSchema {
  if (depth > 6) return { "ui:field": "json" };
  if (isFree(schema, root)) return { "ui:field": "json" };
  const resolved = resolve(schema, root);
  const hints: UiSchema = {};
  for (const [name, inner] of Object.entries(resolved.properties ?? {})) {
    const found = hintsOf(withoutNull(inner).schema, root, depth + 1);
    if (Object.keys(found).length) hints[name] = found;
  }
  return hints;
}

/** What is sent: parameters that may be none and were left empty are none. */
export function completed(values: Record<string, unknown>, nullable: string[]): Record<string, unknown> {
  const empty = nullable.filter((name) => values[name] === undefined || values[name] === "");
  return { ...values, ...Object.fromEntries(empty.map((name) => [name, null])) };
}

/** Parameters that have to be given and are not. */
export function missingOf(schema: Schema, values: Record<string, unknown>): string[] {
  return (schema.required ?? []).filter((name) => values[name] === undefined || values[name] === "");
}

/** The values a form begins with: the schema's defaults, over them what the deployment sets, over them what is given. */
export function initialOf(
  schema: Schema,
  ...given: (Record<string, unknown> | null | undefined)[]
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = property.default;
    if (value !== undefined && value !== null) values[name] = value;
  }
  for (const layer of given) {
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (value === null) delete values[name];
      else values[name] = value;
    }
  }
  return values;
}

/** The type in a word or two, as Python people say it. */
export function typeOf(given: Schema, root: Schema): string {
  const { schema: plain, nullable } = withoutNull(given);
  const schema = resolve(plain, root);
  const suffix = nullable ? ", or none" : "";
  if (schema.enum) return `one of ${schema.enum.length}${suffix}`;
  if (schema.anyOf) return `${schema.anyOf.map((option) => typeOf(option, root)).join(" or ")}${suffix}`;
  if (schema.type === "array")
    return `list${schema.items && !Array.isArray(schema.items) ? ` of ${typeOf(schema.items, root)}` : ""}${suffix}`;
  const words: Record<string, string> = {
    string: "text",
    integer: "whole number",
    number: "number",
    boolean: "yes or no",
    object: schema.title ?? "mapping",
  };
  const formats: Record<string, string> = {
    "date-time": "date and time",
    date: "date",
    duration: "duration",
    uri: "address",
    uuid: "id",
  };
  const word =
    schema.format && formats[schema.format]
      ? formats[schema.format]
      : typeof schema.type === "string"
        ? words[schema.type]
        : "anything";
  return `${word}${suffix}`;
}
