/**
 * A scripted "model" that plays the inbox-digest agent honestly: it lists mails, reads some of them, and writes a digest
 * out of nothing but the transcript. What mails say is material to it, never an instruction.
 */
import { isObject, type JsonObject } from "../../core/json.ts";
import { type InboxDigest, digestOf } from "./digest-answer.ts";
import { FETCH, READ, seenMails } from "./digest-seen.ts";
import type { ScriptRequest } from "./protocol.ts";
import { type Answer, call, calls, json } from "./reply.ts";
import type { ScriptFunction } from "./script.ts";
import { jsonIn } from "./tool-results.ts";

export interface InboxDigestOptions {
  /** Mails to list if the user does not say; default 10. */
  readonly maxResults?: number;
  /** Mails to read in full; default 10. */
  readonly reads?: number;
  /** Mails to read in one turn; default 5. */
  readonly batch?: number;
  /** Pages of the list to ask for; default 2. */
  readonly pages?: number;
}

/**
 * Turn 0 lists; later turns read several mails at once and may ask for a further page; the last one answers with an
 * `InboxDigest`. With `tool_choice: "none"`, or without the gmail tools, it answers at once with what it has.
 */
export function inboxDigestScript(options: InboxDigestOptions = {}): ScriptFunction {
  const { maxResults = 10, reads = 10, batch = 5, pages = 2 } = options;
  return (request) => {
    const wish = wishOf(request, maxResults);
    const seen = seenMails(request);
    const may = (name: string): boolean =>
      request.toolChoice !== "none" && request.tools.some((tool) => tool.name === name);
    if (may(FETCH) && seen.listings === 0) return fetchCall(request, wish.query, wish.max);

    const moves: Answer[] = [];
    const left = Math.max(0, Math.min(batch, reads - seen.asked.size));
    if (may(READ)) moves.push(...seen.unasked.slice(0, left).map((mail) => readCall(request, mail.id)));
    const missing = wish.max - seen.mails.length;
    const more = seen.nextPage !== undefined && seen.listings < pages && missing > 0;
    if (may(FETCH) && more) moves.push(fetchCall(request, wish.query, missing, seen.nextPage));
    if (moves.length > 0) return calls(moves);
    const digest: InboxDigest = digestOf(seen, wish.query);
    return json({ ...digest });
  };
}

function fetchCall(request: ScriptRequest, query: string, max: number, page?: string): Answer {
  // Minimal: ids and snippets of many mails fit where the headers of five would be cut.
  const args = { max_results: max, query, format: "minimal", ...(page === undefined ? {} : { page_token: page }) };
  return call(FETCH, known(request, FETCH, args));
}

function readCall(request: ScriptRequest, id: string): Answer {
  return call(READ, known(request, READ, { message_id: id, format: "full" }));
}

/** Only the arguments that the tool's schema names, if it names any. */
function known(request: ScriptRequest, name: string, args: JsonObject): JsonObject {
  const properties = request.tools.find((tool) => tool.name === name)?.parameters["properties"];
  if (!isObject(properties)) return args;
  return Object.fromEntries(Object.entries(args).filter(([key]) => Object.hasOwn(properties, key)));
}

interface Wish {
  readonly max: number;
  readonly query: string;
}

const MAX_KEYS = ["max_results", "maxResults", "max", "limit", "count", "mails", "messages", "newest"];
const QUERY_KEYS = ["query", "q", "search"];

/**
 * What the user asks for: from JSON in the first message if it holds some, else from its words ("the 20 newest unread
 * mails", "is:unread newer_than:2d").
 */
function wishOf(request: ScriptRequest, fallback: number): Wish {
  const text = request.messages.find((message) => message.role === "user")?.text ?? "";
  const given = jsonIn(text);
  const outer = isObject(given) ? given : {};
  const fields = isObject(outer["input"]) ? { ...outer, ...outer["input"] } : outer;

  const number = MAX_KEYS.map((key) => fields[key]).find((value) => typeof value === "number");
  const words = /(\d{1,3})\s+(?:\w+\s+){0,3}(?:e-?mails?|mails?|messages?)\b/i.exec(text)?.[1];
  const max = number ?? (words === undefined ? fallback : Number(words));

  const query = QUERY_KEYS.map((key) => fields[key]).find((value) => typeof value === "string" && value !== "");
  const operator = /\b(?:is|in|from|to|label|category|newer_than|older_than|after|before|has|subject):[\w@./-]+/g;
  const operators = text.match(operator)?.join(" ");
  return {
    max: Math.max(1, Math.min(100, Math.trunc(max))),
    query: typeof query === "string" ? query : (operators ?? "is:unread"),
  };
}
