import { FileText, Gauge, ImageIcon, Link2, Shapes, Table2 } from "lucide-react";
import { cx } from "@/components/cx";

const KINDS = {
  markdown: { icon: FileText, word: "Report" },
  table: { icon: Table2, word: "Table" },
  link: { icon: Link2, word: "Link" },
  image: { icon: ImageIcon, word: "Image" },
  progress: { icon: Gauge, word: "Progress" },
} as const;

export const TYPE_OPTIONS = Object.entries(KINDS).map(([value, { word, icon: Icon }]) => ({
  value,
  label: word,
  icon: <Icon />,
}));

export function wordOfType(type: string | null): string {
  return KINDS[type as keyof typeof KINDS]?.word ?? type ?? "Data";
}

export function TypeIcon({ type, className }: { type: string | null; className?: string }) {
  const Icon = KINDS[type as keyof typeof KINDS]?.icon ?? Shapes;
  return <Icon aria-hidden="true" className={cx("size-4 shrink-0 text-ink-3", className)} />;
}
