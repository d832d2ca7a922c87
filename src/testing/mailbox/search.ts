/** Gmail's search syntax, the part that agents use: from: to: cc: subject: label: in: is: has: filename: dates, -not, "phrases", words. */
import type { StoredMessage } from "./message.ts";

type Test = (message: StoredMessage) => boolean;

const TERM = /(-)?(?:([a-z_\d]+):)?(?:"([^"]*)"|(\S+))/gi;
const DAY = 86_400_000;
const SPAN_DAYS: Readonly<Record<string, number>> = { d: 1, m: 30, y: 365 };

/**
 * Tells whether a message matches the query. Terms are joined by AND; unknown operators are looked for as plain text.
 * @param now Unix milliseconds, for `newer_than:` and `older_than:`
 */
export function matcher(query: string, now: number): Test {
  const tests: Test[] = [];
  for (const [, minus, operator, phrase, word] of query.matchAll(TERM)) {
    const value = (phrase ?? word ?? "").toLowerCase();
    if (value === "" || (operator === undefined && value === "and")) continue;
    const test = termTest(operator?.toLowerCase(), value, now);
    tests.push(minus === undefined ? test : (message) => !test(message));
  }
  return (message) => tests.every((test) => test(message));
}

function termTest(operator: string | undefined, value: string, now: number): Test {
  const header = (field: "from" | "to" | "cc" | "subject"): Test => {
    return ({ mail }) => mail[field].toLowerCase().includes(value);
  };
  switch (operator) {
    case "from":
    case "to":
    case "cc":
    case "subject":
      return header(operator);
    case "label":
    case "in":
      return value === "anywhere" ? () => true : ({ labels }) => hasLabel(labels, value);
    case "is":
      return stateTest(value);
    case "has":
      return ({ mail }) => value === "attachment" && mail.attachments.length > 0;
    case "filename":
      return ({ mail }) => mail.attachments.some(({ filename }) => filename.toLowerCase().includes(value));
    case "rfc822msgid":
      return ({ mail }) => mail.messageId?.toLowerCase().replaceAll(/[<>]/g, "") === value.replaceAll(/[<>]/g, "");
    case "newer_than":
    case "older_than":
    case "after":
    case "before":
      return dateTest(operator, value, now);
    default:
      return textTest(operator === undefined ? value : `${operator}:${value}`);
  }
}

function hasLabel(labels: ReadonlySet<string>, name: string): boolean {
  return [...labels].some((label) => label.toLowerCase() === name);
}

function stateTest(state: string): Test {
  if (state === "read") return ({ labels }) => !labels.has("UNREAD");
  return ({ labels }) => hasLabel(labels, state);
}

function dateTest(operator: "newer_than" | "older_than" | "after" | "before", value: string, now: number): Test {
  const span = /^(\d+)([dmy])$/.exec(value);
  const days = span === null ? undefined : Number(span[1]) * (SPAN_DAYS[span[2] ?? "d"] ?? 1);
  const moment = days === undefined ? dateOf(value) : now - days * DAY;
  if (Number.isNaN(moment)) return () => true;
  const newer = operator === "newer_than" || operator === "after";
  return ({ internalDate }) => (newer ? internalDate >= moment : internalDate < moment);
}

/** `2002/08/22`, `2002-08-22`, or Unix seconds. */
function dateOf(value: string): number {
  return /^\d{9,}$/.test(value) ? Number(value) * 1000 : Date.parse(`${value.replaceAll("/", "-")}T00:00:00Z`);
}

function textTest(value: string): Test {
  return ({ mail }) =>
    [mail.subject, mail.from, mail.to, mail.cc, mail.text].some((text) => text.toLowerCase().includes(value));
}
