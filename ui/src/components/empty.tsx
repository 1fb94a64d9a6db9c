import type { ReactNode } from "react";
import { cx } from "./cx";

interface EmptyProps {
  title: string;
  /** What to do next, in a sentence. */
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
}

/** Nothing here, why, and what to do next. The drawing is a dry channel. */
export function Empty({ title, children, action, className }: EmptyProps) {
  return (
    <div className={cx("flex flex-col items-center justify-center gap-3 px-6 py-14 text-center", className)}>
      <svg viewBox="0 0 96 28" aria-hidden="true" className="w-24 text-line-strong">
        <path
          d="M2 4h40c10 0 12 18 24 18h28M2 12h36c10 0 12 14 22 14"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeLinecap="round"
          strokeDasharray="4 5"
        />
      </svg>
      <h2 className="text-md">{title}</h2>
      {children && <div className="w-full max-w-md text-balance text-ink-2">{children}</div>}
      {action && <div className="mt-1 flex max-w-full flex-wrap items-center justify-center gap-2">{action}</div>}
    </div>
  );
}
