import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "./cx";

type Look = "ink" | "plain" | "bare" | "danger";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  size?: "sm" | "md";
  busy?: boolean;
  icon?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

const LOOKS: Record<Look, string> = {
  ink: "bg-ink text-on-ink hover:bg-ink/88 active:bg-ink/80 shadow-shade",
  plain: "bg-paper text-ink border border-line-strong hover:bg-hover active:bg-press shadow-shade",
  bare: "text-ink-2 hover:bg-hover hover:text-ink active:bg-press",
  danger: "bg-failed text-on-ink hover:bg-failed/90 active:bg-failed/80 shadow-shade",
};

/** Classes of a button, for a link that has to look like one. */
export function buttonClass(look: Look = "plain", size: "sm" | "md" = "md", square = false): string {
  return cx(
    "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md font-medium no-underline transition-colors duration-75",
    "disabled:pointer-events-none disabled:opacity-45 [&_svg]:size-4 [&_svg]:shrink-0",
    size === "sm" ? "h-7 text-xs" : "h-8 text-sm",
    square ? (size === "sm" ? "w-7" : "w-8") : size === "sm" ? "px-2.5" : "px-3",
    LOOKS[look],
  );
}

export function Button({
  look = "plain",
  size = "md",
  busy,
  icon,
  children,
  className,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(buttonClass(look, size), className)}
    >
      {icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What the button does: its name for those who cannot see it, and its hover. */
  label: string;
  look?: Look;
  size?: "sm" | "md";
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, look = "bare", size = "md", className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      data-tip={label}
      {...rest}
      className={cx(buttonClass(look, size, true), className)}
    >
      {children}
    </button>
  );
}
