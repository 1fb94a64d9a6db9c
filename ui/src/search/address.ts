/**
 * How what a page shows stands in its address: `?state=failed,crashed&since=24h`. Lists are joined by commas, nothing is
 * quoted, defaults are left out; an address can be read, typed and shared.
 */
export type Search = Record<string, string | undefined>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === "string" && value !== "") parts.push(`${name}=${encode(value)}`);
  }
  return parts.length ? `?${parts.join("&")}` : "";
}

/** As much escaping as an address needs: commas, colons and slashes may be read as they are. */
function encode(value: string): string {
  return encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%20/g, "+");
}

/** A list in an address; commas inside its items are escaped with a backslash. */
export function splitList(text: string | undefined): string[] {
  if (!text) return [];
  return [...text.matchAll(/(?:\\.|[^,\\])+/g)].map(([item]) => item.replace(/\\(.)/g, "$1"));
}

export function joinList(items: readonly string[]): string | undefined {
  return items.length ? items.map((item) => item.replace(/[\\,]/g, "\\$&")).join(",") : undefined;
}

/** The value when it is one of the known ones. */
export function oneOf<Known extends string>(known: readonly Known[], value: unknown): Known | undefined {
  return known.find((one) => one === value);
}
