import { X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { IconButton } from "./button";

interface Toast {
  id: number;
  text: string;
  tone: "plain" | "failed";
  action?: { label: string; run: () => void };
}

const STAYS = 6000;
let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function change(list: Toast[]): void {
  toasts = list;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

/** Says what has happened, in a corner. What went wrong stays until it is dismissed. */
export function say(text: string, options: { failed?: boolean; action?: Toast["action"] } = {}): void {
  const toast: Toast = { id: next++, text, tone: options.failed ? "failed" : "plain", action: options.action };
  change([...toasts.slice(-3), toast]);
  if (!options.failed) setTimeout(() => dismiss(toast.id), STAYS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section
      aria-label="Messages"
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-[calc(4.25rem+env(safe-area-inset-bottom))] left-4 z-50 md:bottom-4 flex flex-col items-end gap-2"
    >
      {shown.map((toast) => (
        <div
          key={toast.id}
          className="rising pointer-events-auto flex max-w-md items-start gap-2 rounded-lg bg-ink py-2 pr-2 pl-3.5 text-on-ink shadow-float"
        >
          {toast.tone === "failed" && (
            <span aria-hidden="true" className="mt-2 size-1.5 shrink-0 rounded-full bg-failed" />
          )}
          <p className="min-w-0 break-words py-1">{toast.text}</p>
          {toast.action && (
            <button
              type="button"
              onClick={() => {
                toast.action?.run();
                dismiss(toast.id);
              }}
              className="rounded-md px-2 py-1 font-semibold underline decoration-1 underline-offset-3 hover:bg-on-ink/10"
            >
              {toast.action.label}
            </button>
          )}
          <IconButton
            label="Dismiss"
            size="sm"
            onClick={() => dismiss(toast.id)}
            className="text-on-ink/70 hover:bg-on-ink/10 hover:text-on-ink"
          >
            <X />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
