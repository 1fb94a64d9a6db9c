import { TONES, type Tone } from "@/components/look";

/** The colours of the tokens, for what is painted. */
export interface Palette {
  tones: Record<Tone, string>;
  paper: string;
  bed: string;
  line: string;
  ink: string;
  ink2: string;
  ink3: string;
  water: string;
  sans: string;
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    tones: Object.fromEntries(TONES.map((tone) => [tone, value(`--${tone}`)])) as Record<Tone, string>,
    paper: value("--paper"),
    bed: value("--bed"),
    line: value("--line"),
    ink: value("--ink"),
    ink2: value("--ink-2"),
    ink3: value("--ink-3"),
    water: value("--water"),
    sans: getComputedStyle(document.body).fontFamily,
  };
}
