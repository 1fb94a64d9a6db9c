import type { ReactNode } from "react";
import { Button } from "./button";
import { cx } from "./cx";

interface FailureProps {
  error: unknown;
  retry?: () => void;
  children?: ReactNode;
  className?: string;
}

/** Something could not be had: which, why, and the way to try again. */
export function Failure({ error, retry, children, className }: FailureProps) {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert" className={cx("flex flex-col items-center gap-3 px-6 py-12 text-center", className)}>
      <h2 className="text-md">This could not be loaded</h2>
      <p className="max-w-lg break-words text-ink-2">{message}</p>
      {children}
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}
