import { describe, expect, it } from "vitest";
import { gistOf, linkOf, progressOf, tableOf } from "./artifact-data";

describe("a table", () => {
  it("may be records, lists, columns, or the JSON of any of them", () => {
    const rows = [{ a: 1, b: 2 }, { b: 3 }];
    expect(tableOf(rows)).toEqual({ columns: ["a", "b"], rows });
    expect(tableOf(JSON.stringify(rows))).toEqual({ columns: ["a", "b"], rows });
    expect(tableOf([["x", 1], ["y"]])).toEqual({
      columns: ["1", "2"],
      rows: [
        { 1: "x", 2: 1 },
        { 1: "y", 2: undefined },
      ],
    });
    expect(tableOf({ a: [1, 2], b: [3] })).toEqual({
      columns: ["a", "b"],
      rows: [
        { a: 1, b: 3 },
        { a: 2, b: undefined },
      ],
    });
  });

  it.each([null, 3, "text", { a: 1 }, [1, 2]])("is not %j", (data) => expect(tableOf(data)).toBeNull());
});

describe("a link", () => {
  it("may be markdown or an address", () => {
    expect(linkOf("[Dash](https://a.example/x)")).toEqual({ href: "https://a.example/x", text: "Dash" });
    expect(linkOf("https://a.example")).toEqual({ href: "https://a.example", text: "https://a.example" });
    expect(linkOf("/runs")).toEqual({ href: "/runs", text: "/runs" });
  });

  it.each(["javascript:alert(1)", "[x](javascript:alert(1))", "data:text/html,x", "words", 3, null])(
    "is never %j",
    (data) => expect(linkOf(data)).toBeNull(),
  );
});

it("keeps progress between nothing and all", () => {
  expect([progressOf(150), progressOf(-2), progressOf("42.5"), progressOf("x"), progressOf(null)]).toEqual([
    100,
    0,
    42.5,
    null,
    null,
  ]);
});

it("says in a line what is inside", () => {
  expect(gistOf({ type: "markdown", data: "\n\n## A *report*\n\ntext" })).toBe("A report");
  expect(gistOf({ type: "table", data: [{ a: 1 }] })).toBe("1 rows, 1 columns");
  expect(gistOf({ type: "progress", data: 41.6 })).toBe("42%");
  expect(gistOf({ type: "link", data: "[Dash](https://a.example)" })).toBe("Dash");
});
