import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, Download, WrapText, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Log, LogFilter } from "@/api/types";
import { Button, IconButton } from "@/components/button";
import { cx } from "@/components/cx";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Select } from "@/components/select";
import { Skeleton, SkeletonRows } from "@/components/skeleton";
import { say } from "@/components/toast";
import { NameField } from "@/features/flow-runs/run-filters";
import { formatClock, formatExact } from "@/format/instant";
import { plural } from "@/format/quantity";
import { downloadLogs } from "./download";
import { cutAt, LEVELS, levelOf } from "./levels";
import { useLines } from "./pages";

interface LogViewProps {
  /** Whose lines: of a flow run, of a task run. */
  scope: LogFilter;
  level: string | undefined;
  find: string | undefined;
  change: (part: { level?: string | undefined; find?: string | undefined }) => void;
  /** More lines may come. */
  live: boolean;
  /** The name of the file that a download makes. */
  name: string;
  /** The names of task runs, where lines of several are shown together. */
  names?: ReadonlyMap<string, string> | undefined;
  /** What narrows the lines besides level and text, with a way to lift it. */
  narrowed?: { label: string; lift: () => void } | undefined;
}

const OPTIONS = LEVELS.map((level) => ({
  value: level.word,
  label: level.word === "debug" ? "All levels" : `${level.label} and up`,
}));

export function LogView({ scope, level, find, change, live, name, names, narrowed }: LogViewProps) {
  const [wrap, setWrap] = useState(true);
  const from = LEVELS.find((known) => known.word === level)?.from;
  const filter = useMemo<LogFilter>(
    () => ({
      ...scope,
      ...(from && from > 10 ? { level: { ge_: from } } : {}),
      ...(find ? { text: { query: find } } : {}),
    }),
    [scope, from, find],
  );
  const filtered = Boolean(find || (from && from > 10) || narrowed);
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-paper">
      <div className="flex flex-wrap items-center gap-2 border-line border-b p-2">
        <NameField label="Find in the logs" name={find ?? ""} change={(text) => change({ find: text || undefined })} />
        <Select
          label="Least level"
          options={OPTIONS}
          value={LEVELS.some((known) => known.word === level) ? (level as "info") : "debug"}
          change={(word) => change({ level: word === "debug" ? undefined : word })}
          className="w-40"
        />
        {narrowed && (
          <Button size="md" onClick={narrowed.lift} className="max-w-64">
            <span className="text-ink-3">Task</span>
            <span className="cut">{narrowed.label}</span>
            <X className="text-ink-3" />
          </Button>
        )}
        <span className="ml-auto" />
        <IconButton
          label={wrap ? "Do not wrap long lines" : "Wrap long lines"}
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
          className="aria-pressed:bg-press"
        >
          <WrapText />
        </IconButton>
        <DownloadButton filter={filter} name={name} />
      </div>
      {/* Another filter is another list, which begins at its own beginning. */}
      <Lines
        key={JSON.stringify(filter)}
        filter={filter}
        find={find ?? ""}
        wrap={wrap}
        live={live}
        filtered={filtered}
        names={narrowed ? undefined : names}
      />
    </div>
  );
}

function DownloadButton({ filter, name }: { filter: LogFilter; name: string }) {
  const [busy, setBusy] = useState(false);
  const download = async () => {
    setBusy(true);
    try {
      await downloadLogs(filter, name, new AbortController().signal);
    } catch (error) {
      say(`The log could not be saved: ${error instanceof Error ? error.message : error}`, { failed: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <IconButton label="Download these lines" onClick={download} disabled={busy} aria-busy={busy}>
      <Download />
    </IconButton>
  );
}

interface LinesProps {
  filter: LogFilter;
  find: string;
  wrap: boolean;
  live: boolean;
  filtered: boolean;
  names: ReadonlyMap<string, string> | undefined;
}

function Lines({ filter, find, wrap, live, filtered, names }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: 0 });
  const [atEnd, setAtEnd] = useState(true);
  const { count, at, error, retry } = useLines(filter, range.first, range.last);

  const rows = useVirtualizer({
    count: count ?? 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => 22,
    overscan: 20,
    onChange: (instance) => {
      const items = instance.getVirtualItems();
      const next = { first: items[0]?.index ?? 0, last: items[items.length - 1]?.index ?? 0 };
      setRange((held) => (held.first === next.first && held.last === next.last ? held : next));
    },
  });

  // New lines pull the view along, unless somebody has scrolled up to read.
  useEffect(() => {
    if (live && atEnd && count) rows.scrollToIndex(count - 1, { align: "end" });
  }, [live, atEnd, count, rows]);

  const watch = () => {
    const box = scroller.current;
    if (box) setAtEnd(box.scrollHeight - box.scrollTop - box.clientHeight < 40);
  };

  const total = rows.getTotalSize();
  // More lines may be more than there is room for. Where lines are followed, following them says it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on how many lines there are
  useEffect(() => {
    if (!live) watch();
  }, [count, total, live]);

  if (error && count === undefined) return <Failure error={error} retry={retry} />;
  if (count === undefined) return <SkeletonRows count={8} />;
  if (count === 0) {
    return filtered ? (
      <Empty title="No line passes these filters">Take a lower level, or other words.</Empty>
    ) : (
      <Empty title={live ? "No line yet" : "This run logged nothing"}>
        Use <code className="font-mono text-xs">get_run_logger()</code>, or{" "}
        <code className="font-mono text-xs">log_prints=True</code> to keep what{" "}
        <code className="font-mono text-xs">print</code> says.
      </Empty>
    );
  }
  return (
    <div className="relative">
      <div
        ref={scroller}
        onScroll={watch}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-label={plural(count, "line")}
        aria-live="off"
        className="-outline-offset-2 max-h-[min(34rem,70dvh)] overflow-auto py-1.5"
      >
        <div className={cx("relative", !wrap && "w-max min-w-full")} style={{ height: total }}>
          {rows.getVirtualItems().map((item) => (
            <div
              key={item.key}
              ref={rows.measureElement}
              data-index={item.index}
              className={cx("top-0 left-0", wrap ? "absolute w-full" : "absolute min-w-full")}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line log={at(item.index)} find={find} wrap={wrap} names={names} />
            </div>
          ))}
        </div>
      </div>
      <div className="flex items-center justify-between border-line border-t px-3 py-1 text-ink-3 text-xs">
        <span>{plural(count, "line")}</span>
        {!atEnd && (
          <Button
            look="bare"
            size="sm"
            icon={<ArrowDownToLine />}
            onClick={() => rows.scrollToIndex(count - 1, { align: "end" })}
          >
            To the end
          </Button>
        )}
        {live && atEnd && <span className="breathing text-running-ink">Following</span>}
      </div>
    </div>
  );
}

interface LineProps extends Pick<LinesProps, "find" | "wrap" | "names"> {
  log: Log | undefined;
}

function Line({ log, find, wrap, names }: LineProps): ReactNode {
  if (!log) {
    return (
      <div className="flex h-[22px] items-center px-4">
        <Skeleton className="w-2/5" />
      </div>
    );
  }
  const level = levelOf(log.level);
  const loud = log.level >= 40;
  return (
    <div
      className={cx(
        "flex items-baseline gap-3 px-4 font-mono text-xs leading-[22px] hover:bg-hover",
        loud && "bg-failed/6",
      )}
    >
      <time dateTime={log.timestamp} data-tip={formatExact(log.timestamp)} className="shrink-0 text-ink-3">
        {formatClock(log.timestamp)}
      </time>
      <span className={cx("shrink-0 sm:w-16", level.tone)}>
        <span className="sm:hidden">{level.label[0]}</span>
        <span className="max-sm:hidden">{level.label}</span>
      </span>
      {names && names.size > 0 && (
        <span className="cut w-36 shrink-0 text-ink-3 max-md:hidden" data-tip={names.get(log.task_run_id ?? "")}>
          {names.get(log.task_run_id ?? "")}
        </span>
      )}
      <span
        className={cx(
          "min-w-0 flex-1",
          wrap ? "whitespace-pre-wrap break-words" : "whitespace-pre",
          loud && "text-failed-ink",
          log.level >= 30 && !loud && "text-waiting-ink",
        )}
      >
        {find
          ? cutAt(log.message, find).map((part, index) =>
              part.match ? (
                <mark key={index} className="rounded-sm bg-waiting/35 text-ink">
                  {part.text}
                </mark>
              ) : (
                part.text
              ),
            )
          : log.message}
      </span>
    </div>
  );
}
