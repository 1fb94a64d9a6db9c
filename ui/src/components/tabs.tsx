import { type KeyboardEvent, type ReactNode, useId } from "react";
import { cx } from "./cx";

export interface Tab<Name extends string> {
  name: Name;
  label: string;
  count?: ReactNode;
}

interface TabsProps<Name extends string> {
  tabs: Tab<Name>[];
  chosen: Name;
  choose: (name: Name) => void;
  label: string;
  children: ReactNode;
}

/** Tabs whose choice is the caller's, since it belongs into the address of the page. */
export function Tabs<Name extends string>({ tabs, chosen, choose, label, children }: TabsProps<Name>) {
  const id = useId();
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.name === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    choose(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <div className="min-w-0">
      <div
        role="tablist"
        aria-label={label}
        className="scroll-x flex gap-5 border-line border-b [scrollbar-width:none]"
      >
        {tabs.map((tab) => (
          <button
            key={tab.name}
            id={`${id}-${tab.name}`}
            type="button"
            role="tab"
            aria-selected={tab.name === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={tab.name === chosen ? 0 : -1}
            onClick={() => choose(tab.name)}
            onKeyDown={move}
            className={cx(
              "-mb-px flex h-9 shrink-0 items-center gap-1.5 whitespace-nowrap border-b-2 -outline-offset-2",
              tab.name === chosen ? "border-ink font-semibold" : "border-transparent text-ink-2 hover:text-ink",
            )}
          >
            {tab.label}
            {tab.count !== undefined && tab.count !== null && (
              <span className="rounded-full bg-press px-1.5 font-medium text-2xs text-ink-2">{tab.count}</span>
            )}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`} className="pt-4">
        {children}
      </div>
    </div>
  );
}

interface SegmentsProps<Name extends string> {
  options: { name: Name; label: string; icon?: ReactNode }[];
  chosen: Name;
  choose: (name: Name) => void;
  label: string;
}

/** A choice among few, all visible. */
export function Segments<Name extends string>({ options, chosen, choose, label }: SegmentsProps<Name>) {
  return (
    <fieldset className="inline-flex w-fit shrink-0 self-start rounded-md bg-press p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <button
          key={option.name}
          type="button"
          aria-pressed={option.name === chosen}
          onClick={() => choose(option.name)}
          className={cx(
            "inline-flex h-6 items-center gap-1.5 rounded-sm px-2 font-medium text-xs [&_svg]:size-3.5",
            option.name === chosen ? "bg-lifted text-ink shadow-shade" : "text-ink-2 hover:text-ink",
          )}
        >
          {option.icon}
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}
