import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { flowRunHistory } from "@/api/flow-runs";
import type { Selection } from "@/api/types";
import { Channel } from "@/components/channel";
import { cx } from "@/components/cx";
import { Failure } from "@/components/failure";
import { TONE_WORDS, TONES, type Tone } from "@/components/look";
import { Panel } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { formatDay, formatDayClock, formatShortClock, formatShortDay } from "@/format/instant";
import { formatCount, formatPercent } from "@/format/quantity";
import { addUp, type Piece, piecesOf, roundUp, type Span, successOf, sumOf, windowOf } from "./trend";

const NONE: Selection = {};

/** How many runs there were, and how they ended, over time. */
export function TrendPanel({ span, selection = NONE }: { span: Span; selection?: Selection }) {
  const window = windowOf(span, Date.now());
  const { data, error, refetch } = useQuery(flowRunHistory(selection, window.start, window.end, window.seconds));
  const pieces = useMemo(() => piecesOf(data ?? []), [data]);
  const counts = useMemo(() => addUp(pieces), [pieces]);
  const success = successOf(counts);
  if (error && !data) {
    return (
      <Panel>
        <Failure error={error} retry={refetch} />
      </Panel>
    );
  }
  return (
    <Panel label="Runs over time">
      <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-3 px-4 pt-4">
        <div className="flex gap-8">
          <Figure name="Flow runs">{data ? formatCount(sumOf(counts)) : <Skeleton className="h-7 w-16" />}</Figure>
          <Figure name="Ended well">
            {data ? success === null ? "–" : formatPercent(success) : <Skeleton className="h-7 w-16" />}
          </Figure>
        </div>
        <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
          {TONES.filter((tone) => counts[tone]).map((tone) => (
            <li key={tone}>
              <Link
                to="/runs"
                search={{ state: WORDS[tone], since: span === "7d" ? undefined : span }}
                className={cx("link inline-flex items-center gap-1.5", `tone-${tone}`)}
              >
                <span aria-hidden="true" className="size-2 rounded-[2px] bg-tone" />
                <span className="text-ink-2">{TONE_WORDS[tone]}</span>
                <span className="font-medium">{formatCount(counts[tone] ?? 0)}</span>
              </Link>
            </li>
          ))}
        </ul>
      </div>
      <Bars pieces={pieces} span={span} />
      <Channel counts={counts} of="flow runs" className="rounded-none" />
    </Panel>
  );
}

const WORDS: Record<Tone, string> = {
  completed: "completed",
  running: "running",
  pending: "pending",
  scheduled: "scheduled",
  waiting: "late,awaiting-retry,awaiting-slot,paused",
  cancelled: "cancelling,cancelled",
  crashed: "crashed",
  failed: "failed",
};

function Figure({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <div className="text-ink-3 text-xs">{name}</div>
      <div className="font-semibold text-2xl tracking-[-0.02em] [font-feature-settings:normal]">{children}</div>
    </div>
  );
}

function Bars({ pieces, span }: { pieces: Piece[]; span: Span }) {
  const top = roundUp(Math.max(0, ...pieces.map((piece) => piece.total)));
  return (
    <div className="px-4 pt-3 pb-2">
      <div className="relative h-36">
        {[0, 0.5].map((share) => (
          <div
            key={share}
            className="absolute inset-x-0 border-line border-t border-dashed"
            style={{ top: `${share * 100}%` }}
          >
            <span className="absolute right-0 bg-paper pl-1.5 text-2xs text-ink-3 leading-3">
              {pieces.length ? formatCount(top * (1 - share)) : ""}
            </span>
          </div>
        ))}
        <div
          role="img"
          aria-label={`Flow runs in ${pieces.length} intervals, up to ${top} in one`}
          className="absolute inset-0 mr-9 flex items-end gap-[2px] border-line border-b"
        >
          {pieces.map((piece) => (
            <Bar key={piece.start} piece={piece} top={top} span={span} />
          ))}
        </div>
      </div>
      <Axis pieces={pieces} span={span} />
    </div>
  );
}

/** Bars rise from what ended well to what did not: the failures stand on top, where they are seen. */
function Bar({ piece, top, span }: { piece: Piece; top: number; span: Span }) {
  const parts = TONES.filter((tone) => piece.counts[tone]);
  const when =
    span === "30d"
      ? formatDayClock(piece.start)
      : `${formatDay(piece.start)}, ${formatShortClock(piece.start)} – ${formatShortClock(piece.end)}`;
  const said = parts
    .map((tone) => `${formatCount(piece.counts[tone] ?? 0)} ${TONE_WORDS[tone].toLowerCase()}`)
    .join("\n");
  return (
    <div
      data-tip={`${when}\n${said || "no runs"}`}
      className="group flex h-full min-w-0 flex-1 flex-col justify-end hover:bg-hover"
    >
      {[...parts].reverse().map((tone) => (
        <div
          key={tone}
          className={cx(`tone-${tone} bg-tone min-h-[2px] first:rounded-t-[2px]`, tone === "running" && "breathing")}
          style={{ height: `${((piece.counts[tone] ?? 0) / top) * 100}%` }}
        />
      ))}
    </div>
  );
}

function Axis({ pieces, span }: { pieces: Piece[]; span: Span }) {
  const marks = span === "24h" ? 8 : 7;
  const every = Math.max(1, Math.floor(pieces.length / marks));
  return (
    <div aria-hidden="true" className="relative mt-1 mr-9 h-4 text-2xs text-ink-3">
      {pieces.map((piece, index) =>
        index % every === 0 && index + every / 2 < pieces.length ? (
          <span
            key={piece.start}
            className={cx("absolute whitespace-nowrap", index % (every * 2) !== 0 && "max-sm:hidden")}
            style={{ left: `${(index / pieces.length) * 100}%` }}
          >
            {span === "24h" ? formatShortClock(piece.start) : formatShortDay(piece.start)}
          </span>
        ) : null,
      )}
    </div>
  );
}
