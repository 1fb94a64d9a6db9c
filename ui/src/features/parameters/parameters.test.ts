import { describe, expect, it } from "vitest";
import { completed, initialOf, missingOf, prepare, type Schema, typeOf, withoutNull } from "./schema";
import { fits } from "./validator";

const schema: Schema = {
  type: "object",
  properties: {
    late: { type: "integer", position: 1, default: 3 },
    early: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }], default: null, position: 0 },
    free: { position: 2 },
    table: { type: "object", position: 3, additionalProperties: true },
    model: { $ref: "#/definitions/Model", position: 4 },
  },
  required: ["model"],
  definitions: {
    Model: {
      type: "object",
      title: "Model",
      properties: { a: { anyOf: [{ type: "integer" }, { type: "null" }] }, b: {} },
    },
  },
};

describe("a form", () => {
  const { schema: prepared, ui, nullable } = prepare(schema);

  it("has the parameters in the order of the function", () => {
    expect(ui["ui:order"]).toEqual(["early", "late", "free", "table", "model", "*"]);
  });

  it("shows what may be none as what it is otherwise", () => {
    expect(prepared.properties?.early).toMatchObject({ type: "string", format: "date-time" });
    expect(prepared.properties?.early).not.toHaveProperty("default");
    expect(nullable).toEqual(["early"]);
    expect(prepared.definitions?.Model?.properties?.a).toEqual({ type: "integer" });
  });

  it("edits what has no shape as JSON, inside of models too", () => {
    expect(ui).toMatchObject({
      free: { "ui:field": "json" },
      table: { "ui:field": "json" },
      model: { b: { "ui:field": "json" } },
    });
    expect(ui).not.toHaveProperty("late");
  });

  it("begins with defaults, over them the deployment's values, over them those of a run", () => {
    expect(initialOf(schema, { late: 4, free: [1] }, { late: 5 })).toEqual({ late: 5, free: [1] });
    expect(initialOf(schema, { late: null })).toEqual({});
  });

  it("sends null for what may be none and was left empty", () => {
    expect(completed({ late: 1 }, nullable)).toEqual({ late: 1, early: null });
    expect(completed({ early: "2026-01-01T00:00:00Z" }, nullable)).toEqual({ early: "2026-01-01T00:00:00Z" });
  });

  it("knows what has to be given", () => {
    expect(missingOf(schema, {})).toEqual(["model"]);
    expect(missingOf(schema, { model: {} })).toEqual([]);
  });
});

it("leaves alternatives that are more than none", () => {
  const union = withoutNull({ anyOf: [{ type: "integer" }, { type: "string" }, { type: "null" }] });
  expect(union).toEqual({ schema: { anyOf: [{ type: "integer" }, { type: "string" }] }, nullable: true });
});

describe("which alternative a value looks like", () => {
  const root: Schema = {
    $defs: { Cat: { type: "object", properties: { kind: { const: "cat" } }, required: ["kind"] } },
  };

  it.each<[Schema, unknown, boolean]>([
    [{ type: "integer" }, 3, true],
    [{ type: "integer" }, 3.5, false],
    [{ type: "string" }, 3, false],
    [{ type: ["string", "null"] }, null, true],
    [{ type: "array" }, {}, false],
    [{ enum: ["a", 1] }, 1, true],
    [{ enum: ["a", 1] }, 2, false],
    [{ $ref: "#/$defs/Cat" }, { kind: "cat" }, true],
    [{ $ref: "#/$defs/Cat" }, { kind: "dog" }, false],
    [{ $ref: "#/$defs/Cat" }, {}, false],
    [{ anyOf: [{ type: "string" }, { $ref: "#/$defs/Cat" }] }, { kind: "cat" }, true],
  ])("%j and %j: %s", (given, value, fitting) => expect(fits(given, value, root)).toBe(fitting));
});

it("names types as people do", () => {
  const root = schema;
  const named = (name: string) => typeOf(schema.properties?.[name] as Schema, root);
  expect(named("late")).toBe("whole number");
  expect(named("early")).toBe("date and time, or none");
  expect(named("free")).toBe("anything");
  expect(named("model")).toBe("Model");
  expect(typeOf({ type: "array", items: { type: "string" } }, root)).toBe("list of text");
  expect(typeOf({ anyOf: [{ type: "integer" }, { type: "string" }] }, root)).toBe("whole number or text");
});

it("calls alternatives by what they are", () => {
  const { schema: prepared } = prepare({
    type: "object",
    properties: { size: { anyOf: [{ type: "integer" }, { $ref: "#/definitions/Size" }, { type: "string" }] } },
    definitions: { Size: { type: "object", properties: { width: { type: "number" } } } },
  });
  expect(prepared.properties?.size?.anyOf?.map((option) => option.title)).toEqual(["whole number", "Size", "text"]);
});
