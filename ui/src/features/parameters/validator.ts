import type { RJSFSchema, ValidatorType } from "@rjsf/utils";
import { resolve, type Schema } from "./schema";

/**
 * Values are validated where they are used, on the server. The form itself has to know one thing only: which of several
 * alternatives a value looks like.
 */
export const validator: ValidatorType = {
  isValid: (schema, value, root) => fits(schema as Schema, value, root as Schema),
  validateFormData: () => ({ errors: [], errorSchema: {} }),
  rawValidation: () => ({ errors: [] }),
};

export function fits(given: Schema, value: unknown, root: Schema): boolean {
  const schema = resolve(given, root);
  if (schema.const !== undefined) return value === schema.const;
  if (schema.enum && !schema.enum.some((one) => one === value)) return false;
  if (schema.allOf && !schema.allOf.every((part) => fits(part, value, root))) return false;
  for (const options of [schema.anyOf, schema.oneOf])
    if (options && !options.some((part) => fits(part, value, root))) return false;
  if (schema.type && ![schema.type].flat().some((type) => isOf(type, value))) return false;
  if (schema.type === "object" && schema.properties && value && typeof value === "object") {
    const held = value as Record<string, unknown>;
    if (schema.required?.some((name) => held[name] === undefined)) return false;
    return Object.entries(schema.properties).every(
      ([name, inner]) => held[name] === undefined || fits(inner, held[name], root),
    );
  }
  return true;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "object":
      return value !== null && typeof value === "object" && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

export type FormSchema = RJSFSchema;
