import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { FlowRun } from "@/api/types";
import { lookOf, nameOfState, TONES } from "@/components/look";
import { usePaintedTheme } from "@/components/theme";
import { readPalette } from "@/features/flow-runs/timeline/palette";
import { formatDuration } from "@/format/duration";
import { formatDayClock, formatLongClock, formatShortClock, formatShortDay } from "@/format/instant";

const HEIGHT = 168;
const GUTTER = 58;
/** Round lengths of time for the scale, in seconds. */
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  14400, 43200, 86400, 172800, 604800,
];

/** How long each run took: one point per run, coloured by how it ended. Drag to look closer, double click to step back. */
export default function DurationChart({ runs }: { runs: FlowRun[] }) {
  const box = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const theme = usePaintedTheme();
  const [near, setNear] = useState<{ run: FlowRun; x: number; y: number } | null>(null);
  const opening = useRef<FlowRun | null>(null);
  opening.current = near?.run ?? null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the chart is made anew for other colours
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const palette = readPalette();
    const begun = runs
      .filter((run) => run.start_time)
      .sort((a, b) => ((a.start_time ?? "") < (b.start_time ?? "") ? -1 : 1));
    const tones = TONES.filter((tone) => begun.some((run) => lookOf(run.state_type, run.state_name).tone === tone));
    const took = begun.map((run) => run.total_run_time || run.estimated_run_time || 0);
    const data: uPlot.AlignedData = [
      begun.map((run) => Date.parse(run.start_time ?? "") / 1000),
      ...tones.map((tone) =>
        begun.map((run, index) => (lookOf(run.state_type, run.state_name).tone === tone ? (took[index] ?? 0) : null)),
      ),
    ];
    const grid = { stroke: palette.line, width: 1 };
    const axis = { stroke: palette.ink3, font: `11px ${palette.sans}`, ticks: { show: false }, grid };
    const chart = new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        padding: [12, 12, 0, 0],
        cursor: { y: false, points: { size: 9 }, drag: { x: true, y: false } },
        scales: {
          x: { range: (_, first, last) => widen(first, last) },
          y: { range: (_, __, most) => [0, (most || 1) * 1.08] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 30,
            space: 90,
            incrs: STEPS.filter((step) => step >= 1),
            values: (_, values) =>
              values.map((at) =>
                spans(begun) && new Date(at * 1000).getHours() === 0
                  ? formatShortDay(at * 1000)
                  : (values[1] ?? at) - (values[0] ?? at) < 60
                    ? formatLongClock(at * 1000)
                    : formatShortClock(at * 1000),
              ),
          },
          {
            ...axis,
            size: GUTTER,
            incrs: STEPS,
            space: 36,
            values: (_, values) => values.map((value) => (value ? formatDuration(value) : "0")),
          },
        ],
        series: [
          {},
          ...tones.map((tone) => ({
            paths: () => null,
            points: { show: true, size: 6, width: 0, fill: palette.tones[tone], stroke: palette.tones[tone] },
          })),
        ],
        hooks: {
          setCursor: [
            (self) => {
              const index = self.cursor.idx;
              const run = index === null || index === undefined ? undefined : begun[index];
              setNear(
                run && index !== null && index !== undefined
                  ? {
                      run,
                      x: self.valToPos(data[0][index] ?? 0, "x") + GUTTER,
                      y: self.valToPos(took[index] ?? 0, "y"),
                    }
                  : null,
              );
            },
          ],
        },
      },
      data,
      place,
    );
    const watcher = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT }));
    watcher.observe(place);
    const leave = () => setNear(null);
    const open = () => {
      if (opening.current && chart.select.width < 3)
        void navigate({ to: "/runs/$id", params: { id: opening.current.id } });
    };
    chart.over.addEventListener("mouseleave", leave);
    chart.over.addEventListener("click", open);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
  }, [runs, theme, navigate]);

  return (
    <div className="relative px-1">
      <div
        ref={box}
        role="img"
        aria-label={`Durations of the last ${runs.length} runs; the list below has them one by one`}
        className="cursor-pointer"
      />
      {near && (
        <div
          className="pointer-events-none absolute z-10 w-max max-w-56 rounded-md bg-ink px-2.5 py-1.5 text-on-ink text-xs shadow-float"
          style={{ left: Math.min(near.x + 12, (box.current?.clientWidth ?? 0) - 180), top: Math.max(0, near.y - 20) }}
        >
          <div className="cut font-semibold">{near.run.name}</div>
          <div>
            {nameOfState(near.run.state_type, near.run.state_name)} ·{" "}
            {formatDuration(near.run.total_run_time || near.run.estimated_run_time)}
          </div>
          <div className="opacity-75">{near.run.start_time && formatDayClock(near.run.start_time)}</div>
        </div>
      )}
    </div>
  );
}

/** A little room at both ends, so that no point lies on the edge; a single run stands in the middle of a minute. */
function widen(first: number, last: number): [number, number] {
  const room = last > first ? (last - first) * 0.02 : 30;
  return [first - room, last + room];
}

/** Whether the runs lie on more than one day, so that a time of day alone would not do. */
function spans(runs: FlowRun[]): boolean {
  const [first, last] = [runs[0]?.start_time, runs[runs.length - 1]?.start_time];
  return Boolean(first && last && new Date(first).toDateString() !== new Date(last).toDateString());
}
