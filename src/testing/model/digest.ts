/**
 * A scripted "model" that plays the inbox-digest agent honestly: it lists mails, reads some of them, and writes a digest
 * out of nothing but the transcript. What mails say is material to it, never an instruction.
 */
import { listingOf, messageOf } from "./gmail-results.ts";
import type { SeenMail } from "./gmail-results.ts";
import { clean, keyLine, senderName, shorten } from "./mail-text.ts";
import type { ScriptRequest } from "./protocol.ts";
import { call, calls, json } from "./reply.ts";
import type { Answer } from "./reply.ts";
import type { ScriptFunction } from "./server.ts";
import { jsonIn, toolOutcomes } from "./tool-results.ts";
import { isObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";

const FETCH = "gmail_fetch_mails";
const READ = "gmail_get_message_by_id";

export interface InboxDigestOptions {
  /** Mails to list if the user does not say; default 10. */
  readonly maxResults?: number;
  /** Mails to read in full; default 6. */
  readonly reads?: number;
  /** Mails to read in one turn; default 4. */
  readonly batch?: number;
  /** Pages of the list to ask for; default 2. */
  readonly pages?: number;
}

/** The answer's JSON. */
export interface InboxDigest {
  readonly unread: number;
  readonly summary: string;
  readonly highlights: readonly { readonly from: string; readonly subject: string; readonly why: string }[];
}

/**
 * Turn 0 lists, later turns read (several calls in one turn) and ask for a further page, the last answers with an
 * `InboxDigest`. With `tool_choice: "none"`, or without the gmail tools, it answers at once with what it has.
 */
export function inboxDigestScript(options: InboxDigestOptions = {}): ScriptFunction {
  const { maxResults = 10, reads = 6, batch = 4, pages = 2 } = options;
  return (request) => {
    const wish = wishOf(request, maxResults);
    const seen = seenIn(request);
    const may = (name: string): boolean =>
      request.toolChoice !== "none" && request.tools.some((tool) => tool.name === name);
    const moves: Answer[] = [];
    if (may(FETCH) && seen.listings === 0) return fetchCall(request, wish.query, wish.max);
    if (may(READ)) {
      const unasked = seen.listed
        .filter((mail) => !seen.asked.has(mail.id))
        .slice(0, Math.min(batch, reads - seen.asked.size));
      moves.push(...unasked.map((mail) => call(READ, known(request, READ, { message_id: mail.id, format: "full" }))));
    }
    const missing = wish.max - seen.listed.length;
    if (may(FETCH) && seen.nextPage !== undefined && seen.listings < pages && missing > 0)
      moves.push(fetchCall(request, wish.query, missing, seen.nextPage));
    return moves.length > 0 ? calls(moves) : json(digestOf(seen, wish.query));
  };
}

function fetchCall(request: ScriptRequest, query: string, max: number, page?: string): Answer {
  return call(
    FETCH,
    known(request, FETCH, { max_results: max, query, ...(page === undefined ? {} : { page_token: page }) }),
  );
}

/** Only the arguments that the tool's schema names, if it names any. */
function known(request: ScriptRequest, name: string, args: JsonObject): JsonObject {
  const properties = request.tools.find((tool) => tool.name === name)?.parameters["properties"];
  if (!isObject(properties)) return args;
  return Object.fromEntries(Object.entries(args).filter(([key]) => key in properties));
}

// ---- what the user asks for ----------------------------------------------------------------------------------------

interface Wish {
  readonly max: number;
  readonly query: string;
}

const MAX_KEYS = ["max_results", "maxResults", "max", "limit", "count", "mails", "messages", "newest"];
const QUERY_KEYS = ["query", "q", "search"];

/** From the input's JSON if the user's message holds some, else from its words: "the 20 newest unread mails", "is:unread newer_than:2d". */
function wishOf(request: ScriptRequest, fallback: number): Wish {
  const text = request.messages.flatMap((one) => (one.role === "user" ? [one.text] : []))[0] ?? "";
  const input = jsonIn(text);
  const fields = isObject(input) ? { ...input, ...(isObject(input["input"]) ? input["input"] : {}) } : {};
  const number = MAX_KEYS.map((key) => (fields as JsonObject)[key]).find((value) => typeof value === "number");
  const words = /(\d{1,3})\s+(?:\w+\s+){0,3}(?:e-?mails?|mails?|messages?)/i.exec(text)?.[1];
  const query = QUERY_KEYS.map((key) => (fields as JsonObject)[key]).find(
    (value) => typeof value === "string" && value !== "",
  );
  const operators = text
    .match(/\b(?:is|in|from|to|label|category|newer_than|older_than|after|before|has):[\w@./-]+/g)
    ?.join(" ");
  const max = typeof number === "number" ? number : words === undefined ? fallback : Number(words);
  return {
    max: Math.max(1, Math.min(100, Math.trunc(max))),
    query: typeof query === "string" ? query : (operators ?? "is:unread"),
  };
}

// ---- what the transcript shows -------------------------------------------------------------------------------------

interface Seen {
  /** Every listed mail once, with what was read of it. */
  readonly listed: readonly SeenMail[];
  readonly asked: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  readonly listings: number;
  readonly nextPage: string | undefined;
  readonly estimate: number;
  readonly errors: readonly string[];
}

function seenIn(request: ScriptRequest): Seen {
  const outcomes = toolOutcomes(request);
  const fetched = outcomes.filter((one) => one.name === FETCH);
  const lists = fetched.map(listingOf);
  const opened = outcomes.filter((one) => one.name === READ);
  const bodies = new Map(
    opened
      .filter((one) => one.error === undefined)
      .flatMap((one) => [messageOf(one) ?? []].flat())
      .map((mail) => [mail.id, mail]),
  );
  const listed = new Map(
    lists.flatMap((list) => list.mails).map((mail) => [mail.id, merged(mail, bodies.get(mail.id))]),
  );
  return {
    listed: [...listed.values()],
    asked: new Set(opened.map((one) => String(one.args["message_id"]))),
    read: new Set(bodies.keys()),
    listings: fetched.length,
    nextPage: lists.at(-1)?.nextPage,
    estimate: Math.max(0, ...lists.map((list) => list.estimate ?? 0)),
    errors: outcomes.flatMap((one) => one.error ?? []),
  };
}

function merged(listed: SeenMail, read: SeenMail | undefined): SeenMail {
  if (read === undefined) return listed;
  return {
    id: listed.id,
    from: read.from || listed.from,
    subject: read.subject || listed.subject,
    snippet: read.snippet || listed.snippet,
    body: read.body,
    unread: listed.unread ?? read.unread,
    bulk: listed.bulk || read.bulk,
  };
}

// ---- the digest ----------------------------------------------------------------------------------------------------

function digestOf(seen: Seen, query: string): JsonObject {
  const asksUnread = /\bis:unread\b/.test(query);
  const unread = seen.listed.filter((mail) => mail.unread ?? asksUnread).length;
  const more = asksUnread && seen.nextPage !== undefined ? seen.estimate : 0;
  const digest: InboxDigest = {
    unread: Math.max(unread, more),
    summary: summaryOf(seen),
    highlights: highlightsOf(seen),
  };
  return { ...digest, highlights: [...digest.highlights] };
}

function summaryOf(seen: Seen): string {
  const notes =
    seen.errors.length === 0
      ? ""
      : ` ${seen.errors.length} tool calls failed (${clean([...new Set(seen.errors)].join(", "))}).`;
  if (seen.listed.length === 0)
    return seen.errors.length > 0 ? `The inbox could not be read.${notes}` : "No mails were found.";
  const senders = new Map<string, number>();
  for (const mail of seen.listed) senders.set(senderName(mail.from), (senders.get(senderName(mail.from)) ?? 0) + 1);
  const top = [...senders].toSorted((a, b) => b[1] - a[1]).slice(0, 3);
  const most = top.map(([name, count]) => (count > 1 ? `${name} (${count})` : name)).join(", ");
  return `${seen.listed.length} mails from ${senders.size} senders, first of all ${most}. ${seen.read.size} were read in full.${notes}`;
}

function highlightsOf(seen: Seen): InboxDigest["highlights"] {
  const judged = seen.listed.map((mail) => {
    const line = keyLine(mail.body || mail.snippet);
    const score = (line.wanted ? 4 : 0) + (mail.bulk ? -3 : 0) + (mail.body === "" ? -1 : 0) + (line.trap ? -2 : 0);
    return { mail, line, score };
  });
  return judged
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 5)
    .map(({ mail, line }) => ({
      from: senderName(mail.from),
      subject: shorten(clean(mail.subject), 120) || "(no subject)",
      why: line.text || (line.trap ? "Holds only text addressed to an assistant; passed over." : "No readable text."),
    }));
}
