import { ExternalLink } from "lucide-react";
import { lazy, Suspense } from "react";
import type { Artifact } from "@/api/types";
import { Json } from "@/components/json";
import { Skeleton } from "@/components/skeleton";
import { linkOf, progressOf, tableOf } from "./artifact-data";

const Markdown = lazy(() => import("./markdown"));
const TableView = lazy(() => import("./table-view"));

/** An artifact as it was meant to be seen; what cannot be read as its type says is shown as data. */
export function ArtifactBody({ artifact }: { artifact: Pick<Artifact, "type" | "data"> }) {
  const { type, data } = artifact;
  const waiting = (
    <div className="px-4 py-5">
      <Skeleton className="w-1/2" />
    </div>
  );
  if (type === "table") {
    const table = tableOf(data);
    if (table) {
      return (
        <Suspense fallback={waiting}>
          <TableView table={table} />
        </Suspense>
      );
    }
  }
  if (type === "link" || type === "image") {
    const link = linkOf(data);
    if (link) return <Address {...link} picture={type === "image"} />;
  }
  if (type === "progress") {
    const progress = progressOf(data);
    if (progress !== null) return <Progress value={progress} />;
  }
  if (typeof data === "string") {
    return (
      <div className="px-4 py-5">
        <Suspense fallback={<Skeleton className="w-1/2" />}>
          <Markdown>{data}</Markdown>
        </Suspense>
      </div>
    );
  }
  return (
    <div className="p-4">
      <Json value={data} />
    </div>
  );
}

/** Pictures on other hosts are not fetched: that would tell them who is looking. */
function Address({ href, text, picture }: { href: string; text: string; picture: boolean }) {
  const own = href.startsWith("/") || href.startsWith("data:image/");
  return (
    <div className="px-4 py-5">
      {picture && own ? (
        <img src={href} alt={text} className="max-w-full" />
      ) : (
        <a
          href={href}
          target="_blank"
          rel="noreferrer noopener"
          className="inline-flex max-w-full items-center gap-2 font-medium text-md underline decoration-line-strong underline-offset-4 hover:decoration-current"
        >
          <span className="cut">{text}</span>
          <ExternalLink className="size-4 shrink-0 text-ink-3" />
        </a>
      )}
      {text !== href && <div className="cut mt-1 text-ink-3 text-xs">{href}</div>}
    </div>
  );
}

export function Progress({ value }: { value: number }) {
  return (
    <div className="flex items-center gap-3 px-4 py-5">
      <div
        role="progressbar"
        aria-valuenow={Math.round(value)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-label="Progress"
        className="h-2 flex-1 overflow-hidden rounded-full bg-line"
      >
        <div
          className={value < 100 ? "flowing h-full bg-running" : "h-full bg-completed"}
          style={{ width: `${value}%` }}
        />
      </div>
      <span className="w-12 text-right font-semibold text-md">{Math.round(value)}%</span>
    </div>
  );
}
