/** Which entries are intents: what they announce is begun only once they are written. */
import type { Entry } from "./journal.ts";

/** It announces something outside: a model's answer that is bought, or a call. */
export function isIntent({ kind }: Entry): boolean {
  return kind === "call-claimed" || kind === "turn-requested" || kind === "summary-requested";
}
