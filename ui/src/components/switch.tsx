import { Switch as Base } from "@base-ui/react/switch";

interface SwitchProps {
  on: boolean;
  change: (on: boolean) => void;
  /** What is on or off, for those who cannot see what it stands beside. */
  label: string;
  disabled?: boolean;
}

export function Switch({ on, change, label, disabled }: SwitchProps) {
  return (
    <Base.Root
      checked={on}
      onCheckedChange={change}
      disabled={disabled}
      aria-label={label}
      className="inline-flex h-[18px] w-8 shrink-0 cursor-pointer items-center rounded-full bg-line-strong p-0.5 transition-colors data-checked:bg-ink data-disabled:opacity-45"
    >
      <Base.Thumb className="size-3.5 rounded-full bg-paper shadow-shade transition-transform data-checked:translate-x-3.5" />
    </Base.Root>
  );
}
