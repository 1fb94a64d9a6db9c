import type { ReactNode } from "react";
import { cx } from "./cx";

interface PageProps {
  /** What the browser's tab and history call this page. */
  name: string;
  children: ReactNode;
  className?: string;
}

export function Page({ name, children, className }: PageProps) {
  return (
    <main
      className={cx("mx-auto flex w-full max-w-[100rem] flex-col gap-5 px-4 pt-5 pb-16 md:px-8 md:pt-7", className)}
    >
      <title>{`${name} · Headrace`}</title>
      {children}
    </main>
  );
}

interface HeadingProps {
  title: ReactNode;
  /** Where this thing belongs: links upwards. */
  above?: ReactNode;
  /** The facts that matter most, in one line. */
  below?: ReactNode;
  actions?: ReactNode;
}

export function Heading({ title, above, below, actions }: HeadingProps) {
  return (
    <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="flex min-w-0 flex-col gap-1 sm:flex-1">
        {above && <div className="flex flex-wrap items-center gap-1.5 text-ink-3 text-xs">{above}</div>}
        <h1 className="break-words font-semibold text-xl tracking-[-0.012em]">{title}</h1>
        {below && <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-ink-2">{below}</div>}
      </div>
      {actions && <div className="flex shrink-0 flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

interface PanelProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  label?: string;
}

/** A sheet of paper on the bed of the page. */
export function Panel({ title, actions, children, className, label }: PanelProps) {
  return (
    <section
      aria-label={label}
      className={cx("min-w-0 overflow-hidden rounded-lg border border-line bg-paper", className)}
    >
      {(title || actions) && (
        <div className="flex min-h-11 items-center justify-between gap-3 border-line border-b py-1.5 pr-2 pl-4">
          <h2 className="cut font-semibold">{title}</h2>
          {actions && <div className="flex shrink-0 items-center gap-1">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** Names and values, side by side as far as there is room. */
export function Facts({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <dl
      className={cx(
        "grid grid-cols-[repeat(auto-fill,minmax(8rem,1fr))] gap-x-6 sm:grid-cols-[repeat(auto-fill,minmax(10.5rem,1fr))] gap-y-3.5",
        className,
      )}
    >
      {children}
    </dl>
  );
}

export function Fact({ name, children, wide }: { name: string; children: ReactNode; wide?: boolean }) {
  return (
    <div className={cx("min-w-0", wide && "col-span-full")}>
      <dt className="text-ink-3 text-xs">{name}</dt>
      <dd className="mt-0.5 break-words">{children}</dd>
    </div>
  );
}

export function Tag({ children }: { children: ReactNode }) {
  return (
    <span className="cut inline-block max-w-full rounded-sm sm:max-w-48 border border-line bg-bed px-1.5 align-middle text-ink-2 text-xs">
      {children}
    </span>
  );
}

/** Tags in one line of a list: the first ones, and how many more there are. */
export function FewTags({ tags, most = 2 }: { tags: string[] | undefined; most?: number }) {
  if (!tags?.length) return null;
  const rest = tags.length - most;
  return (
    <span className="flex min-w-0 items-center gap-1" data-tip={rest > 0 ? tags.join(", ") : undefined}>
      {tags.slice(0, most).map((tag) => (
        <span key={tag} className="cut">
          <Tag>{tag}</Tag>
        </span>
      ))}
      {rest > 0 && <span className="relative shrink-0 text-ink-3 text-xs">+{rest}</span>}
    </span>
  );
}

export function Tags({ tags }: { tags: string[] | undefined }) {
  if (!tags?.length) return null;
  return (
    <span className="inline-flex min-w-0 flex-wrap gap-1">
      {tags.map((tag) => (
        <Tag key={tag}>{tag}</Tag>
      ))}
    </span>
  );
}
