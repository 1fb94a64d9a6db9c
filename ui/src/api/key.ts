/** The key that somebody signed in with: kept for this tab, or for this browser if they asked for it. */
const NAME = "headrace.key";

function stores(): Storage[] {
  try {
    return [sessionStorage, localStorage];
  } catch {
    // Storage may be forbidden; then the key lasts as long as the page.
    return [];
  }
}

let held: string | null =
  stores()
    .map((store) => store.getItem(NAME))
    .find((key) => key !== null) ?? null;

export function readKey(): string | null {
  return held;
}

export function keepKey(key: string, stay: boolean): void {
  forgetKey();
  held = key;
  const [tab, browser] = stores();
  (stay ? browser : tab)?.setItem(NAME, key);
}

export function forgetKey(): void {
  held = null;
  for (const store of stores()) store.removeItem(NAME);
}

/** What every request carries. */
export function authorization(): Record<string, string> {
  return held === null ? {} : { authorization: `Bearer ${held}` };
}
