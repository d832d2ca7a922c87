/** The results of a turn, in a run's messages. */
import type { Message } from "../core/messages.ts";

export type Result = Extract<Message, { role: "tool" }>;

/** Those right behind the message at `index`. Looked for from there on, so that a long run's request takes no time by its square. */
export function resultsAfter(messages: readonly Message[], index: number): readonly Result[] {
  const results: Result[] = [];
  for (let i = index + 1; i < messages.length; i++) {
    const message = messages[i];
    if (message?.role !== "tool") break;
    results.push(message);
  }
  return results;
}
