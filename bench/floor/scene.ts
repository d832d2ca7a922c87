/** What both sides do: one agent of four turns, three tools of one connection, and how much text there is. */
import type { JsonObject } from "@bufbuild/protobuf";
import { z } from "zod";
import { agent, type TypedAgent } from "../../src/index.ts";

export const CONNECTION = "desk";
export const TOOLS: readonly string[] = ["desk_search", "desk_read", "desk_count"];
export const MODEL = "lean";
export const INSTRUCTIONS =
  "You look through the open tickets of one customer desk. Search first, read what matters, count the rest, then answer in one sentence.";
/** Stands in each tool result once, so that the model server can tell whether the tools were really called. */
export const MARK = "desk-row";
/** Characters of one tool result. */
export const RESULT_CHARS = 2_000;
export const ANSWER = "Three tickets are open, and one of them is urgent.";

export type Query = { query: string };

export const deskAgent: TypedAgent<Query, Query, string> = agent({
  name: "desk",
  model: `bench/${MODEL}`,
  instructions: INSTRUCTIONS,
  connections: [CONNECTION],
  tools: TOOLS.map((name) => ({ name, effect: "read" })),
  input: z.object({ query: z.string() }),
});

/** About as long as the schemas of Gmail's reading tools. */
export const PARAMETERS: Readonly<Record<string, JsonObject>> = {
  query: { type: "string", description: "A query in the desk's search syntax, e.g. is:open from:ann@example.com" },
  labels: { type: "array", items: { type: "string" }, description: "Only what has all of these labels" },
  archived: { type: "boolean", description: "Whether archived tickets are included" },
  max_results: { type: "integer", description: "How many at most: 1 to 100, default 10" },
  page_token: { type: "string", description: "nextPageToken of the page before" },
};

/** @param i which of them; each run has one of its own, so that no cap and no cache of one user binds */
export function person(i: number): string {
  return `person-${i}`;
}
