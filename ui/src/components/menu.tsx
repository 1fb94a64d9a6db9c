import { Menu as Base } from "@base-ui/react/menu";
import { MoreHorizontal } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "./button";
import { cx } from "./cx";

export const POPUP =
  "rising z-50 max-h-(--available-height) min-w-(--anchor-width) max-w-[min(24rem,var(--available-width))] overflow-y-auto rounded-lg bg-paper p-1 shadow-float outline-none";
export const ITEM =
  "flex min-h-8 cursor-default select-none items-center gap-2 rounded-md px-2 outline-none data-disabled:opacity-45 data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3";

export interface Choice {
  label: string;
  icon?: ReactNode;
  run: () => void;
  danger?: boolean;
  disabled?: boolean;
}

interface MenuProps {
  /** What the choices are about: the name of the button. */
  label: string;
  choices: (Choice | false | null | undefined)[];
}

/** The rest of what can be done with something, behind three dots. */
export function Menu({ label, choices }: MenuProps) {
  const given = choices.filter((choice): choice is Choice => Boolean(choice));
  if (given.length === 0) return null;
  return (
    <Base.Root>
      <Base.Trigger render={<IconButton label={label} look="plain" />}>
        <MoreHorizontal />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={6} align="end" className="z-50 outline-none">
          <Base.Popup className={POPUP}>
            {given.map((choice) => (
              <Base.Item
                key={choice.label}
                disabled={choice.disabled}
                onClick={choice.run}
                className={cx(ITEM, "pr-6", choice.danger && "text-failed-ink [&_svg]:text-current")}
              >
                {choice.icon}
                {choice.label}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
