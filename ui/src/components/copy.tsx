import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { cx } from "./cx";

/** Whether the text is in the clipboard now; pages that are not served securely have no clipboard to write to. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

interface CopyProps {
  text: string;
  label?: string;
  className?: string;
}

export function CopyButton({ text, label = "Copy", className }: CopyProps) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), 1400);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <button
      type="button"
      aria-label={said ?? label}
      data-tip={label}
      onClick={async () => setSaid((await copy(text)) ? "Copied" : "The browser refuses to copy")}
      className={cx(
        "inline-flex size-6 shrink-0 items-center justify-center rounded-md text-ink-3 hover:bg-hover hover:text-ink",
        className,
      )}
    >
      {said === "Copied" ? <Check className="size-3.5" /> : <Copy className="size-3.5" />}
      <span aria-live="polite" className="sr-only">
        {said}
      </span>
    </button>
  );
}

/** An id, short, with the whole of it on hover and a click away from the clipboard. */
export function CopyId({ id, className }: { id: string; className?: string }) {
  return (
    <span className={cx("group inline-flex items-center gap-0.5", className)}>
      <code data-tip={id} className="font-mono text-xs">
        {id.slice(0, 8)}…{id.slice(-4)}
      </code>
      <CopyButton text={id} label="Copy the id" className="-my-1" />
    </span>
  );
}

/** A command to type elsewhere. */
export function CommandLine({ children }: { children: string }) {
  return (
    <div className="flex min-w-0 max-w-full items-center gap-1 rounded-md border border-line bg-bed py-1 pr-1 pl-3 text-left">
      <code className="scroll-x flex-1 whitespace-pre font-mono text-xs">
        <span className="select-none text-ink-3">$ </span>
        {children}
      </code>
      <CopyButton text={children} label="Copy the command" />
    </div>
  );
}
