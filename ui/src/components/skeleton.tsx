import { cx } from "./cx";

/** The place of something that is on its way, in its size. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden="true" className={cx("breathing block h-3.5 rounded-sm bg-line", className)} />;
}

const WIDTHS = ["w-2/5", "w-3/5", "w-1/2", "w-1/3", "w-3/5", "w-2/5"];

export function SkeletonRows({ count = 6 }: { count?: number }) {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className="flex h-9 items-center gap-4 border-line border-b px-4 last:border-0">
          <Skeleton className="size-4 rounded-full" />
          <Skeleton className={WIDTHS[index % WIDTHS.length]} />
          <Skeleton className="ml-auto w-16" />
        </div>
      ))}
    </div>
  );
}
