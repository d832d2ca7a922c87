/** Columns of text. */
import type { Paint, Style } from "./io.ts";

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** @returns one line a row, each column as wide as its widest cell; nothing behind the last one */
export function table(rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.text.length ?? 0)));
  return rows.map((row) =>
    row
      .map(({ text, style }, i) => {
        const gap = i === row.length - 1 ? "" : " ".repeat((widths[i] ?? 0) - text.length);
        return (style === undefined ? text : paint(style, text)) + gap;
      })
      .join("  ")
      .trimEnd(),
  );
}
