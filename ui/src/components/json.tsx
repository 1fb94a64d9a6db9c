import { CopyButton } from "./copy";
import { cx } from "./cx";

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A value as indented JSON; keys, texts and the rest in tones of ink. */
export function Json({ value, className }: { value: unknown; className?: string }) {
  const text = JSON.stringify(value, null, 2) ?? "undefined";
  return (
    <div className={cx("group relative rounded-lg border border-line bg-paper", className)}>
      <pre className="scroll-x p-4 font-mono text-ink-2 text-xs leading-5">{paint(text)}</pre>
      <CopyButton text={text} label="Copy as JSON" className="absolute top-2 right-2 bg-paper" />
    </div>
  );
}

function paint(text: string): React.ReactNode[] {
  const parts: React.ReactNode[] = [];
  let last = 0;
  for (const found of text.matchAll(TOKENS)) {
    const [whole, string, colon] = found;
    parts.push(text.slice(last, found.index));
    last = found.index + whole.length;
    if (string && colon) {
      parts.push(
        <span key={found.index} className="text-ink">
          {string}
        </span>,
        colon,
      );
    } else {
      parts.push(
        <span key={found.index} className={string ? "text-completed-ink" : "text-running-ink"}>
          {whole}
        </span>,
      );
    }
  }
  parts.push(text.slice(last));
  return parts;
}
