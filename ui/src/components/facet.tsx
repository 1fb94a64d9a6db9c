import { Combobox } from "@base-ui/react/combobox";
import { Check, ChevronDown, Search, X } from "lucide-react";
import { cx } from "./cx";
import { ITEM, POPUP } from "./menu";
import type { Option } from "./select";

interface FacetProps<Value extends string> {
  /** What is filtered: `State`. */
  label: string;
  options: Option<Value>[];
  chosen: Value[];
  change: (chosen: Value[]) => void;
  /** With more options than can be listed, the typed text is handed out and the options follow. */
  search?: (text: string) => void;
}

/** One filter of a list: any of the chosen options. It says what it holds, so that a filtered list is never a surprise. */
export function Facet<Value extends string>({ label, options, chosen, change, search }: FacetProps<Value>) {
  const held = options.filter((option) => chosen.includes(option.value));
  const words = held.map((option) => option.label);
  const said =
    words.length > 2 ? `${words.length} chosen` : words.join(", ") || (chosen.length ? `${chosen.length} chosen` : "");
  return (
    <Combobox.Root
      multiple
      items={options}
      value={held}
      onValueChange={(next) => change(next.map((option) => option.value))}
      isItemEqualToValue={(a, b) => a.value === b.value}
      onInputValueChange={(text) => search?.(text)}
      filter={search ? null : undefined}
    >
      <span
        className={cx(
          "inline-flex h-8 max-w-full items-center rounded-md border shadow-shade",
          chosen.length ? "border-ink-3 bg-paper" : "border-line-strong border-dashed",
        )}
      >
        <Combobox.Trigger
          aria-label={label}
          className={cx(
            "inline-flex h-full min-w-0 items-center gap-1.5 rounded-md pl-2.5 hover:bg-hover",
            chosen.length ? "pr-1" : "pr-2 text-ink-2",
          )}
        >
          <span className={cx(chosen.length > 0 && "text-ink-3")}>{label}</span>
          {said && <span className="cut max-w-44 font-medium">{said}</span>}
          {chosen.length === 0 && <ChevronDown className="size-3.5 text-ink-3" />}
        </Combobox.Trigger>
        {chosen.length > 0 && (
          <button
            type="button"
            aria-label={`Clear ${label}`}
            onClick={() => change([])}
            className="mr-0.5 inline-flex size-6 items-center justify-center rounded-sm text-ink-3 hover:bg-hover hover:text-ink"
          >
            <X className="size-3.5" />
          </button>
        )}
      </span>
      <Combobox.Portal>
        <Combobox.Positioner sideOffset={4} align="start" className="z-50 outline-none">
          <Combobox.Popup className={cx(POPUP, "w-64 overflow-hidden p-0")} aria-label={label}>
            <div className="flex items-center gap-2 border-line border-b px-3">
              <Search className="size-3.5 shrink-0 text-ink-3" />
              <Combobox.Input
                placeholder={`Find a ${label.toLowerCase()}`}
                className="h-9 w-full bg-transparent outline-none"
              />
            </div>
            <Combobox.Empty>
              <div className="px-3 py-4 text-ink-3 empty:hidden">Nothing of that name</div>
            </Combobox.Empty>
            <Combobox.List className="max-h-72 overflow-y-auto p-1 empty:p-0">
              {(option: Option<Value>) => (
                <Combobox.Item key={option.value} value={option} className={ITEM}>
                  {option.icon}
                  <span className="cut flex-1">{option.label}</span>
                  <Combobox.ItemIndicator>
                    <Check />
                  </Combobox.ItemIndicator>
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}
