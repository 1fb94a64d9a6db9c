import { describe, expect, it } from "vitest";
import { joinList, oneOf, parseSearch, splitList, stringifySearch } from "./address";

describe("an address", () => {
  it("can be read: commas, colons and slashes stand as they are", () => {
    expect(stringifySearch({ state: "failed,crashed", at: "12:30", path: "a/b" })).toBe(
      "?state=failed,crashed&at=12:30&path=a/b",
    );
  });

  it("leaves out what is not there", () => {
    expect(stringifySearch({ state: undefined, name: "", sort: undefined })).toBe("");
  });

  it.each(["a b", "50%", "a&b=c", "ü+é", "#1", "x?y"])("brings back %j", (name) => {
    expect(parseSearch(stringifySearch({ name }))).toEqual({ name });
  });
});

describe("a list in an address", () => {
  it.each([[["a"]], [["a", "b"]], [["one, two", "three"]], [["back\\slash", ","]]])("brings back %j", (items) => {
    expect(splitList(joinList(items))).toEqual(items);
  });

  it("is nothing when it is empty", () => {
    expect(joinList([])).toBeUndefined();
    expect(splitList(undefined)).toEqual([]);
    expect(splitList(",,a,")).toEqual(["a"]);
  });
});

it("takes only values that are known", () => {
  expect(oneOf(["a", "b"], "b")).toBe("b");
  expect(oneOf(["a", "b"], "c")).toBeUndefined();
  expect(oneOf(["a", "b"], 3)).toBeUndefined();
});
