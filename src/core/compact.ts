/**
 * When a transcript is too long for its model, what is left out of it: the ladder of facts/seeds.md D.4, cheapest first. A step that is
 * taken makes much room at once, so that the next one is far away and the provider's cache stays of use meanwhile.
 *
 * C1 The system prompt, the user's prompt and the last turn's message stay as they are; a call and its result stay together.
 * C2 What went wrong and what nobody knows is never hidden.
 */
import { shapeOf } from "./compaction.ts";
import type { Compacted } from "./journal.ts";
import type { ModelName } from "./messages.ts";
import type { RunState } from "./state.ts";

/** Tokens. */
export interface Room {
  /** More does not go out. */
  readonly most: number;
  /** What a step has to get below. */
  readonly target: number;
}

export type Fit =
  | { readonly do: "fits" }
  | { readonly do: "compact"; readonly entry: Compacted }
  /** The summary of all turns before `before`, then `entry` with it. `otherwise`: what is done if it cannot be had. */
  | {
      readonly do: "summarise";
      readonly before: number;
      readonly entry: Compacted;
      readonly otherwise: Compacted | undefined;
    }
  | { readonly do: "overflow"; readonly tokens: number };

export interface Fitting {
  readonly turn: number;
  readonly because: Compacted["because"];
  readonly asked: ModelName;
  readonly room: Room;
  /** Tokens of the request that this state gives. */
  readonly sizeOf: (state: RunState) => number;
  readonly canSummarise: boolean;
}

/** Turns whose results stay as they are, as long as that is enough. */
const KEPT_TURNS = 2;
const SHORTEN: readonly number[] = [8_000, 4_000, 2_000, 1_000, 500];
/** What a summary is asked not to exceed; the text that stands for one while it is planned. */
export const SUMMARY_CHARS = 6_000;
const PLACEHOLDER = "summary ".repeat(SUMMARY_CHARS / 8);

type Cut = Pick<Compacted, "hide" | "shorten" | "summary">;

export function fit(state: RunState, fitting: Fitting): Fit {
  const { room, sizeOf, because, asked } = fitting;
  const from = sizeOf(state);
  if (from <= room.most) return { do: "fits" };
  const entryOf = (cut: Cut): Compacted => {
    const entry = (to: number): Compacted => ({
      kind: "compacted",
      turn: fitting.turn,
      because,
      asked,
      from,
      to,
      ...cut,
    });
    return entry(sizeOf({ ...state, compactions: [...state.compactions, { at: 0, epoch: 0, ...entry(0) }] }));
  };
  const free = freeCuts(state).map(entryOf);
  const enough = free.find(({ to }) => to <= room.target);
  if (enough !== undefined) return { do: "compact", entry: enough };
  const otherwise = free.find(({ to }) => to <= room.most);
  const paid = fitting.canSummarise ? summaryCuts(state).map(entryOf) : [];
  const summed = paid.find(({ to }) => to <= room.target) ?? paid.find(({ to }) => to <= room.most);
  if (summed?.summary !== undefined) {
    const { before } = summed.summary;
    return { do: "summarise", before, entry: summed, otherwise };
  }
  if (otherwise !== undefined) return { do: "compact", entry: otherwise };
  return { do: "overflow", tokens: from };
}

/** Those that leave out least come first. */
function freeCuts(state: RunState): Cut[] {
  const { turns, compactions } = state;
  const old = turns.length - KEPT_TURNS;
  const hide = old > shapeOf(compactions).hide ? { hide: old } : undefined;
  const shortened = SHORTEN.map((shorten): Cut => ({ ...hide, shorten }));
  if (turns.length === 0) return [];
  return hide === undefined ? shortened : [hide, ...shortened];
}

function summaryCuts({ turns, compactions }: RunState): Cut[] {
  const done = shapeOf(compactions).summary?.before ?? 0;
  const befores = [turns.length - KEPT_TURNS, turns.length - 1].filter((before) => before > done);
  return befores.flatMap((before) => {
    const summary = { before, text: PLACEHOLDER };
    return [{ summary }, ...SHORTEN.map((shorten) => ({ summary, shorten }))];
  });
}
