import { Combobox } from "@base-ui/react/combobox";
import { Check, ChevronsUpDown } from "lucide-react";
import { cx } from "./cx";
import { INPUT } from "./field";
import { ITEM, POPUP } from "./menu";
import type { Option } from "./select";

interface PickerProps {
  options: Option[];
  value: string | null;
  change: (value: string) => void;
  placeholder?: string;
  id?: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: true | undefined;
}

/** One of many, found by typing: a time zone, a work pool. */
export function Picker({ options, value, change, placeholder, ...ids }: PickerProps) {
  const held = options.find((option) => option.value === value) ?? null;
  return (
    <Combobox.Root
      items={options}
      value={held}
      onValueChange={(next) => next && change(next.value)}
      isItemEqualToValue={(a, b) => a.value === b.value}
      limit={200}
    >
      <Combobox.InputGroup className="relative">
        <Combobox.Input {...ids} placeholder={placeholder} className={cx(INPUT, "h-8 w-full pr-8")} />
        <Combobox.Trigger
          aria-label="Show all"
          className="absolute inset-y-0 right-0 flex w-8 items-center justify-center text-ink-3"
        >
          <ChevronsUpDown className="size-3.5" />
        </Combobox.Trigger>
      </Combobox.InputGroup>
      <Combobox.Portal>
        <Combobox.Positioner sideOffset={4} className="z-50 outline-none">
          <Combobox.Popup className={cx(POPUP, "w-(--anchor-width)")}>
            <Combobox.Empty>
              <div className="px-2 py-2 text-ink-3 empty:hidden">Nothing of that name</div>
            </Combobox.Empty>
            <Combobox.List className="max-h-64 overflow-y-auto empty:p-0">
              {(option: Option) => (
                <Combobox.Item key={option.value} value={option} className={ITEM}>
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
