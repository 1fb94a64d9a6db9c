import type { ReactNode } from "react";
import { cx } from "./cx";
import { lookOf, type Mark, nameOfState } from "./look";

const GLYPH = {
  fill: "none",
  stroke: "var(--paper)",
  strokeWidth: 1.6,
  strokeLinecap: "round",
  strokeLinejoin: "round",
} as const;
const LINE = {
  fill: "none",
  stroke: "currentColor",
  strokeWidth: 1.5,
  strokeLinecap: "round",
  strokeLinejoin: "round",
} as const;
const disc = <circle cx="8" cy="8" r="6.5" fill="currentColor" />;
const ring = <circle cx="8" cy="8" r="5.75" {...LINE} />;
const slab = <rect x="1.75" y="1.75" width="12.5" height="12.5" rx="3" fill="currentColor" />;
const hands = "M8 4.9V8l2.1 1.3";

const MARKS: Record<Mark, ReactNode> = {
  check: (
    <>
      {disc}
      <path d="m5.2 8.2 1.9 1.9 3.7-4" {...GLYPH} />
    </>
  ),
  cached: (
    <>
      {ring}
      <path d="m5.4 8.2 1.7 1.7 3.4-3.7" {...LINE} />
    </>
  ),
  undone: (
    <>
      {disc}
      <path d="M10.8 8.9a2.9 2.9 0 1 1-.5-2.8M10.6 4.3v2.1H8.5" {...GLYPH} strokeWidth={1.4} />
    </>
  ),
  wheel: (
    <g className="turning">
      <circle cx="8" cy="8" r="5.6" {...LINE} strokeWidth={1.6} />
      <path d="M8 2.4v11.2M3.15 5.2l9.7 5.6M3.15 10.8l9.7-5.6" {...LINE} strokeWidth={1.1} />
      <circle cx="8" cy="8" r="1.7" fill="currentColor" />
    </g>
  ),
  cross: (
    <>
      {slab}
      <path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" {...GLYPH} />
    </>
  ),
  timeout: (
    <>
      {slab}
      <path d="M8 4.6V8l2.3 1.5" {...GLYPH} />
    </>
  ),
  burst: (
    <>
      <path
        d="M8.75 1.9a.87.87 0 0 0-1.5 0L1.3 12.4a.87.87 0 0 0 .75 1.3h11.9a.87.87 0 0 0 .75-1.3Z"
        fill="currentColor"
      />
      <path d="M8 6v3.1M8 11.4v.05" {...GLYPH} />
    </>
  ),
  clock: (
    <>
      {ring}
      <path d={hands} {...LINE} />
    </>
  ),
  late: (
    <>
      <path d="M12.9 11A5.75 5.75 0 1 1 13.75 8" {...LINE} />
      <path d={hands} {...LINE} />
      <path d="M14.3 11.2v2M14.3 15v.02" {...LINE} strokeWidth={1.6} />
    </>
  ),
  again: <path d="M13.4 8.6A5.45 5.45 0 1 1 12 4.2l1.5 1.5M13.6 2.6v3.2h-3.2" {...LINE} />,
  queue: (
    <>
      <path d="M2.5 3.5h11M2.5 12.5h11" {...LINE} />
      <path d="M5 6.6v2.8M8 6.6v2.8M11 6.6v2.8" {...LINE} strokeWidth={1.8} />
    </>
  ),
  dots: <circle cx="8" cy="8" r="5.75" {...LINE} strokeDasharray="0.1 3.5" strokeWidth={1.9} />,
  pause: (
    <>
      {ring}
      <path d="M6.4 5.9v4.2M9.6 5.9v4.2" {...LINE} strokeWidth={1.6} />
    </>
  ),
  stop: (
    <>
      {ring}
      <path d="m4.2 11.8 7.6-7.6" {...LINE} />
    </>
  ),
  stopping: (
    <>
      <circle cx="8" cy="8" r="5.75" {...LINE} strokeDasharray="3.2 2.8" className="turning" />
      <path d="m5.4 10.6 5.2-5.2" {...LINE} />
    </>
  ),
};

interface StateProps {
  type: string | null | undefined;
  name?: string | null | undefined;
  className?: string;
}

/** The shape and colour of a state without its word; only where the word is beside it or in the label. */
export function StateMark({ type, name, className }: StateProps) {
  const { tone, mark } = lookOf(type, name);
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" className={cx(`tone-${tone} text-tone size-4 shrink-0`, className)}>
      {MARKS[mark]}
    </svg>
  );
}

/** A mark that says its word to those who cannot see it, and on hover. */
export function StateIcon({ type, name, className }: StateProps) {
  const word = nameOfState(type, name);
  return (
    <span role="img" aria-label={word} data-tip={word} className={cx("inline-flex", className)}>
      <StateMark type={type} name={name} />
    </span>
  );
}

/** Mark and word: how a state stands in a table or a heading. */
export function State({ type, name, className }: StateProps) {
  return (
    <span className={cx("inline-flex items-center gap-1.5 whitespace-nowrap", className)}>
      <StateMark type={type} name={name} />
      <span className={cx(`tone-${lookOf(type, name).tone}`, "text-tone-ink font-medium")}>
        {nameOfState(type, name)}
      </span>
    </span>
  );
}
