/**
 * The check-list of odd answers: issue 7, point 3, word by word, and facts/seeds.md D.4. A name without its row in response-rows.ts does
 * not compile.
 */

export type Answers =
  | "no choices"
  | "error body at HTTP 200"
  | "error body of 429 at HTTP 200"
  | "HTML"
  | "no body"
  | "empty"
  | "refusal"
  | "content filter, with calls"
  | "content filter, with text"
  | "length, with text"
  | "length, with nothing"
  | "length, with a call that is cut"
  | "length, with calls of which one is cut"
  | "length, with calls that are whole"
  | "unknown finish, with text"
  | "unknown finish, with calls"
  | "usage missing"
  | "usage negative"
  | "200k-token answer"
  | "non-UTF-8, in a text"
  | "non-UTF-8, all of it"
  | "a byte order mark"
  | "broken JSON, cut"
  | "broken JSON, more behind it"
  | "half a surrogate pair";

export type Calls =
  | "malformed arguments"
  | "arguments that are a list"
  | "empty arguments"
  | "unknown tool, with near names"
  | "unknown tool, with none near"
  | "schema violations, with paths"
  | "duplicate ids"
  | "missing and empty ids"
  | "ids too long"
  | "1,000 calls"
  | "custom calls"
  | "calls with finish stop"
  | "calls with a text"
  | "a paused turn";

export type Breaks =
  | "disconnect in the middle"
  | "disconnect in the middle of a stream"
  | "disconnect in an error"
  | "slow answer"
  | "slow stream"
  | "time-out before the first byte"
  | "time-out in the middle"
  | "time-out in the middle of a stream"
  | "the context window is full";

export type Status = 400 | 401 | 402 | 403 | 404 | 408 | 409 | 413 | 422 | 429 | 500 | 502 | 503 | 529;
export type Refusals =
  | `HTTP ${Status}`
  | "400, context_length_exceeded"
  | "400, budget_exceeded"
  | "403, moderation"
  | "429, insufficient_quota"
  | "429, billing_error"
  | "a web page at HTTP 502";

export type Waits =
  | "Retry-After: seconds"
  | "Retry-After: 0"
  | "Retry-After: a fraction"
  | "Retry-After: more than 60 s"
  | "Retry-After: an hour, of a 503"
  | "Retry-After: a date"
  | "Retry-After: a date that has passed"
  | "Retry-After: negative"
  | "Retry-After: nonsense"
  | "retry-after-ms"
  | "retry-after-ms beside Retry-After"
  | "x-should-retry";

export type RowName = Answers | Calls | Breaks | Refusals | Waits;
