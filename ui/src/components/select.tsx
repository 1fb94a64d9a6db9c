import { Select as Base } from "@base-ui/react/select";
import { Check, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./cx";
import { INPUT } from "./field";
import { ITEM, POPUP } from "./menu";

export interface Option<Value extends string = string> {
  value: Value;
  label: string;
  icon?: ReactNode;
}

interface SelectProps<Value extends string> {
  options: Option<Value>[];
  value: Value | null;
  change: (value: Value) => void;
  label?: string;
  placeholder?: string;
  id?: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: true | undefined;
  className?: string;
}

export function Select<Value extends string>({
  options,
  value,
  change,
  label,
  placeholder,
  className,
  ...ids
}: SelectProps<Value>) {
  return (
    <Base.Root items={options} value={value} onValueChange={(next) => next !== null && change(next)}>
      <Base.Trigger
        {...ids}
        aria-label={label}
        className={cx(INPUT, "flex h-8 items-center justify-between gap-2 text-left", className ?? "w-full")}
      >
        <Base.Value placeholder={placeholder} className="cut" />
        <Base.Icon className="text-ink-3">
          <ChevronsUpDown className="size-3.5" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50 outline-none">
          <Base.Popup className={POPUP}>
            {options.map((option) => (
              <Base.Item key={option.value} value={option.value} className={cx(ITEM, "pr-2 pl-2")}>
                <Base.ItemText className="cut flex flex-1 items-center gap-2">
                  {option.icon}
                  {option.label}
                </Base.ItemText>
                <Base.ItemIndicator>
                  <Check />
                </Base.ItemIndicator>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
