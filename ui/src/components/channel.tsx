import { formatCount } from "@/format/quantity";
import { cx } from "./cx";
import { TONE_WORDS, TONES, type Tone } from "./look";

interface ChannelProps {
  counts: Partial<Record<Tone, number>>;
  /** What is counted, for the label: `flow runs`. */
  of: string;
  className?: string;
}

/** The proportions of states as one thin channel, in which the running part flows. */
export function Channel({ counts, of, className }: ChannelProps) {
  const total = TONES.reduce((sum, tone) => sum + (counts[tone] ?? 0), 0);
  const parts = TONES.filter((tone) => counts[tone]);
  const label = parts.map((tone) => `${formatCount(counts[tone] ?? 0)} ${TONE_WORDS[tone].toLowerCase()}`).join(", ");
  return (
    <div
      role="img"
      aria-label={total ? `${formatCount(total)} ${of}: ${label}` : `No ${of}`}
      className={cx("flex h-[3px] w-full gap-px overflow-hidden rounded-full bg-line", className)}
    >
      {parts.map((tone) => (
        <span
          key={tone}
          className={cx(`tone-${tone} bg-tone min-w-[3px]`, tone === "running" && "flowing")}
          style={{ flexGrow: counts[tone] }}
        />
      ))}
    </div>
  );
}
