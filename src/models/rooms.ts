/**
 * How much fits into a model, and how many tokens a text has. What a profile says comes first, then the tables of @pydantic/genai-prices.
 * Tokenizer and tables are loaded when they are first needed: a run that is far from its model's end needs neither.
 */
import type { ModelName } from "../core/messages.ts";
import type { ModelRoom, Rooms } from "../ports/rooms.ts";
import { priceTables } from "./price-tables.ts";
import type { Endpoint } from "./profile.ts";

/** Where nobody knows: what most models of today take. One that takes less says so, and then the run's transcript is compacted. */
const USUAL_TOKENS = 128_000;
/** Kept free for an answer, where no bound is configured: enough for a long one, and no more than a quarter of all. */
const ANSWER_TOKENS = 16_000;
const QUARTER = 1 / 4;

export function modelRooms(profiles: Readonly<Record<string, Endpoint>>): Rooms {
  const all = new Map(Object.entries(profiles));
  let counter: Promise<(text: string) => number> | undefined;
  const known = new Map<string, Promise<number | undefined>>();
  return {
    async of({ profile, model }: ModelName): Promise<ModelRoom> {
      const { contextTokens, maxOutputTokens } = all.get(profile) ?? {};
      const inTables = known.get(model) ?? contextOf(model);
      known.set(model, inTables);
      const told = contextTokens ?? (await inTables);
      const context = told ?? USUAL_TOKENS;
      const most = maxOutputTokens === undefined ? context * QUARTER : context * (1 - QUARTER);
      const answer = Math.floor(Math.min(maxOutputTokens ?? ANSWER_TOKENS, most));
      return { contextTokens: context, answerTokens: answer, guessed: told === undefined };
    },
    counter: () => (counter ??= loadCounter()),
  };
}

/** From the tables; `provider/model` of a gateway is looked for without its provider as well. */
async function contextOf(model: string): Promise<number | undefined> {
  try {
    const { calcPrice } = await priceTables();
    for (const name of [model, model.slice(model.lastIndexOf("/") + 1)]) {
      const tokens = calcPrice({ input_tokens: 1 }, name)?.model.context_window;
      if (tokens !== undefined && tokens > 0) return tokens;
    }
  } catch {
    // Their tables are a convenience: without them it is a guess.
  }
  return undefined;
}

/**
 * The tokenizer's time grows with the square of a text that does not fall into words: 100,000 spaces take 7 s, 36,000 characters of emoji
 * 3 s (measured). In pieces it grows with the text; each cut may add a token.
 */
const PIECE = 400;

async function loadCounter(): Promise<(text: string) => number> {
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
  // Text that looks like a special token is text.
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => {
    let tokens = 0;
    for (let i = 0; i < text.length; i += PIECE) tokens += countTokens(text.slice(i, i + PIECE), options);
    return tokens;
  };
}
