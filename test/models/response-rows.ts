/**
 * The response table: each odd answer of issue 7, point 3, and of facts/seeds.md D.4, and what becomes of it. The names
 * are the check-list (response-names.ts). Each row is played over the wire, on all three protocols (response-table.test.ts).
 */
import type { Usage } from "../../src/core/messages.ts";
import {
  answer,
  call,
  calls,
  disconnect,
  empty,
  errorBody,
  type ErrorOptions,
  finish,
  hang,
  html,
  httpError,
  manyCalls,
  noChoices,
  raw,
  refusal,
  type Reply,
  say,
  slow,
  withUsage,
} from "../../src/testing/model/index.ts";
import type { ProtocolName } from "./lab.ts";
import type { Answers, Breaks, Calls, Refusals, RowName, Status, Waits } from "./response-names.ts";
import { SPOKEN } from "./spoken.ts";

export interface Row {
  /** Of several, one after the other. */
  readonly reply: Reply | readonly Reply[] | ((protocol: ProtocolName) => Reply);
  /**
   * What becomes of it: the class of a failure and its wait, or the judgement on an answer. Of calls how many are made, and what is said
   * of those that are not.
   */
  readonly leadsTo: string;
  /** Stands in the failure's message, or in what the model is told of the calls that were not made. */
  readonly told?: RegExp;
  readonly text?: string;
  readonly usage?: Usage;
  /** Asked for as a stream. */
  readonly stream?: true;
  /** Of the whole answer. */
  readonly timeoutMs?: number;
  /** The others have nothing like it. */
  readonly only?: ProtocolName;
}

const read = (args: Parameters<typeof call>[1] = { id: "1" }, id?: string | null): ReturnType<typeof call> =>
  call("gmail_read", args, id === undefined ? {} : { id });

/** @param change of an honest body's JSON; bytes by latin1 */
function body(change: (json: string) => string): (protocol: ProtocolName) => Reply {
  return (protocol) => {
    const json = JSON.stringify(SPOKEN[protocol](say("Hello."), "seed"));
    return raw({ body: Buffer.from(change(json), "latin1") });
  };
}

const ONE = { input: 1, output: 1 } as const;

/** A search that the provider makes by itself. */
function searching(id: string, reason: string): Reply {
  const use = { type: "server_tool_use", id, name: "web_search", input: {} };
  const found = { type: "web_search_tool_result", tool_use_id: id, content: [] };
  return finish(reason, answer({ items: [use, found], usage: ONE }));
}

const NO_USAGE: Usage = { input: 0, output: 0, cachedInput: 0, reasoning: 0 };
const LONG = "word ".repeat(200_000);
const WORDS = "Grüße 😀 aus dem Posteingang. ".repeat(20);

const ANSWERS: Readonly<Record<Answers, Row>> = {
  "no choices": { reply: noChoices(), leadsTo: "failure retry", told: /holds no (choice|output|content)/ },
  "error body at HTTP 200": { reply: errorBody({ code: 502 }), leadsTo: "failure retry", told: /Upstream error/ },
  "error body of 429 at HTTP 200": { reply: errorBody({ code: 429 }), leadsTo: "failure rate-limit", told: /429/ },
  HTML: { reply: html(), leadsTo: "failure retry", told: /not a JSON object/ },
  "no body": { reply: raw({ body: "" }), leadsTo: "failure retry", told: /not (a JSON object|valid JSON)/ },
  empty: { reply: empty(), leadsTo: "discard empty-answer" },
  refusal: { reply: refusal("I will not."), leadsTo: "fail refused", text: "I will not." },
  "content filter, with calls": { reply: finish("content_filter", read()), leadsTo: "fail refused" },
  "content filter, with text": { reply: finish("content_filter", say("Hal")), leadsTo: "fail refused" },
  "length, with text": { reply: finish("length", say("Hal")), leadsTo: "finish truncated", text: "Hal" },
  "length, with nothing": { reply: finish("length", empty()), leadsTo: "discard empty-answer" },
  "length, with a call that is cut": {
    reply: finish("length", read('{"id": "1')),
    leadsTo: "discard output-truncated",
  },
  "length, with calls of which one is cut": {
    reply: finish("length", calls([read(), read('{"id')])),
    leadsTo: "discard output-truncated",
  },
  "length, with calls that are whole": { reply: finish("length", calls([read(), read()])), leadsTo: "act: 2 run" },
  "unknown finish, with text": { reply: finish("eos", say("Hello.")), leadsTo: "finish", text: "Hello." },
  "unknown finish, with calls": { reply: finish("eos", read()), leadsTo: "act: 1 run" },
  "usage missing": { reply: withUsage(null, say("Hi")), leadsTo: "finish", usage: NO_USAGE },
  "usage negative": {
    reply: withUsage({ input: -5, output: -1, cached: -3, reasoning: -2 }, say("Hi")),
    leadsTo: "finish",
    usage: NO_USAGE,
  },
  "200k-token answer": { reply: say(LONG), leadsTo: "finish", text: LONG },
  "non-UTF-8, in a text": {
    reply: body((json) => json.replace("Hello.", "H\xe9llo\xff.")),
    leadsTo: "finish",
    text: "H\ufffdllo\ufffd.",
  },
  "non-UTF-8, all of it": {
    reply: body((json) => Buffer.from(json, "utf16le").toString("latin1")),
    leadsTo: "failure retry",
    told: /not valid JSON/,
  },
  "a byte order mark": { reply: body((json) => `\xef\xbb\xbf${json}`), leadsTo: "finish", text: "Hello." },
  "broken JSON, cut": { reply: body((json) => json.slice(0, -9)), leadsTo: "failure retry", told: /not valid JSON/ },
  "broken JSON, more behind it": {
    reply: body((json) => `${json}}`),
    leadsTo: "failure retry",
    told: /not valid JSON/,
  },
  "half a surrogate pair": { reply: say("Hello \ud83d."), leadsTo: "finish", text: "Hello \ufffd." },
};

const CALLS: Readonly<Record<Calls, Row>> = {
  "malformed arguments": { reply: read('{"id": "1'), leadsTo: "act: 1 InvalidArguments", told: /not valid JSON/ },
  "arguments that are a list": { reply: read("[1]"), leadsTo: "act: 1 InvalidArguments", told: /are a list/ },
  "empty arguments": { reply: read(""), leadsTo: "act: 1 InvalidArguments", told: /"id" is required/ },
  "unknown tool, with near names": {
    reply: call("gmail_raed", { id: "1" }),
    leadsTo: "act: 1 UnknownTool",
    told: /Did you mean: gmail_read/,
  },
  "unknown tool, with none near": {
    reply: call("x"),
    leadsTo: "act: 1 UnknownTool",
    told: /The tools are: gmail_read/,
  },
  "schema violations, with paths": {
    reply: read({ id: 7, deep: { er: 1 } }),
    leadsTo: "act: 1 InvalidArguments",
    told: /no parameter "deep".*id: must be string/,
  },
  "duplicate ids": { reply: calls([read({ id: "1" }, "a"), read({ id: "2" }, "a")]), leadsTo: "act: 2 run" },
  "missing and empty ids": { reply: calls([read({ id: "1" }, null), read({ id: "2" }, "")]), leadsTo: "act: 2 run" },
  "ids too long": { reply: read({ id: "1" }, "x".repeat(500)), leadsTo: "act: 1 run" },
  "1,000 calls": {
    reply: manyCalls(1_000, "gmail_read", (i) => ({ id: `${i}` })),
    leadsTo: "act: 16 run, 984 TooManyCalls",
    told: /Only 16 tool calls can be made now/,
  },
  "custom calls": {
    reply: calls([call("gmail_read", "free text", { type: "custom" }), read()]),
    leadsTo: "act: 1 UnknownTool, 1 run",
    told: /custom:gmail_read/,
  },
  "calls with finish stop": { reply: finish("stop", read()), leadsTo: "act: 1 run" },
  "calls with a text": { reply: answer({ ...read(), text: "I look." }), leadsTo: "act: 1 run", text: "I look." },
  "a paused turn": {
    reply: [searching("srv_1", "pause_turn"), searching("srv_2", "pause_turn"), say("Done.", { usage: ONE })],
    leadsTo: "finish",
    only: "messages",
    text: "Done.",
    usage: { input: 3, output: 3, cachedInput: 0, reasoning: 0 },
  },
};

const BREAKS: Readonly<Record<Breaks, Row>> = {
  "disconnect in the middle": { reply: disconnect(), leadsTo: "failure retry", told: /the connection failed/ },
  "disconnect in the middle of a stream": { reply: disconnect(say(WORDS)), stream: true, leadsTo: "failure retry" },
  "disconnect in an error": { reply: disconnect(httpError(500)), leadsTo: "failure retry" },
  "slow answer": { reply: slow(2, say(WORDS), 40), leadsTo: "finish", text: WORDS },
  "slow stream": { reply: slow(1, say(WORDS), 101), stream: true, leadsTo: "finish", text: WORDS },
  "time-out before the first byte": { reply: hang(), timeoutMs: 60, leadsTo: "failure retry", told: /within 60 ms/ },
  "time-out in the middle": { reply: hang(say(WORDS)), timeoutMs: 60, leadsTo: "failure retry", told: /within 60 ms/ },
  "time-out in the middle of a stream": {
    reply: hang(say(WORDS)),
    timeoutMs: 60,
    stream: true,
    leadsTo: "failure retry",
    told: /within 60 ms/,
  },
  "the context window is full": {
    reply: finish("model_context_window_exceeded", say("Hal")),
    leadsTo: "failure context",
    only: "messages",
  },
};

const CLASSES: Readonly<Record<Status, string>> = {
  400: "invalid",
  401: "credentials",
  402: "billing",
  403: "credentials",
  404: "invalid",
  408: "retry",
  409: "retry",
  413: "context",
  422: "invalid",
  429: "rate-limit",
  500: "retry",
  502: "retry",
  503: "retry",
  529: "retry",
};

function refused(status: number, leadsTo: string, options: ErrorOptions = {}): Row {
  return { reply: httpError(status, options), leadsTo: `failure ${leadsTo}`, told: new RegExp(`^HTTP ${status}`) };
}

const STATUSES = Object.fromEntries(
  Object.entries(CLASSES).map(([status, leadsTo]) => [`HTTP ${status}`, refused(Number(status), leadsTo)]),
) as Readonly<Record<`HTTP ${Status}`, Row>>;

const REFUSALS: Readonly<Record<Refusals, Row>> = {
  ...STATUSES,
  "400, context_length_exceeded": refused(400, "context", { code: "context_length_exceeded" }),
  "400, budget_exceeded": refused(400, "billing", { type: "budget_exceeded" }),
  "403, moderation": refused(403, "invalid", { code: "content_policy_violation" }),
  "429, insufficient_quota": refused(429, "billing", { code: "insufficient_quota" }),
  "429, billing_error": refused(429, "billing", { type: "billing_error" }),
  "a web page at HTTP 502": { reply: html(502), leadsTo: "failure retry", told: /^HTTP 502$/ },
};

function waits(leadsTo: string, headers: Readonly<Record<string, string>>, status = 429): Row {
  return refused(status, leadsTo, { headers });
}

/** The test's clock stands at 2026-11-21, 10:00. No wait that was told, or none at all: the run waits as long as its own backoff says. */
const WAITS: Readonly<Record<Waits, Row>> = {
  "Retry-After: seconds": waits("rate-limit after 7000 ms", { "retry-after": "7" }),
  "Retry-After: 0": waits("rate-limit", { "retry-after": "0" }),
  "Retry-After: a fraction": waits("rate-limit after 500 ms", { "retry-after": "0.5" }),
  "Retry-After: more than 60 s": waits("rate-limit after 300000 ms", { "retry-after": "300" }),
  "Retry-After: an hour, of a 503": waits("retry after 3600000 ms", { "retry-after": "3600" }, 503),
  "Retry-After: a date": waits("rate-limit after 90000 ms", { "retry-after": "Sat, 21 Nov 2026 10:01:30 GMT" }),
  "Retry-After: a date that has passed": waits("rate-limit", {
    "retry-after": "Sat, 21 Nov 2026 09:00:00 GMT",
  }),
  "Retry-After: negative": waits("rate-limit", { "retry-after": "-5" }),
  "Retry-After: nonsense": waits("rate-limit", { "retry-after": "soon 5" }),
  "retry-after-ms": waits("rate-limit after 1500 ms", { "retry-after-ms": "1500" }),
  "retry-after-ms beside Retry-After": waits("rate-limit after 1500 ms", {
    "retry-after-ms": "1500",
    "retry-after": "9",
  }),
  "x-should-retry": waits("rate-limit", { "x-should-retry": "true" }),
};

export const ROWS: Readonly<Record<RowName, Row>> = { ...ANSWERS, ...CALLS, ...BREAKS, ...REFUSALS, ...WAITS };
