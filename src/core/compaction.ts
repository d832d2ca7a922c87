/** What all `compacted` decisions of a run together leave of its transcript. */
import type { Compacted } from "./journal.ts";

export interface Shape {
  /** Results of turns before this one are shown as a note. */
  readonly hide: number;
  /** The most characters that a result of this turn is shown in. */
  readonly charsOf: (turn: number) => number;
  readonly summary?: NonNullable<Compacted["summary"]>;
}

export function shapeOf(compactions: readonly Compacted[]): Shape {
  const summary = compactions.findLast((one) => one.summary !== undefined)?.summary;
  return {
    hide: Math.max(0, ...compactions.map((one) => one.hide ?? 0)),
    charsOf: (turn) => Math.min(...compactions.map((one) => (turn < one.turn ? (one.shorten ?? Infinity) : Infinity))),
    ...(summary !== undefined && { summary }),
  };
}
