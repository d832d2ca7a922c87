/** Reads the results of the gmail tools out of a transcript, also when they were shortened in the middle. */
import { convert } from "html-to-text";
import { isObject } from "../../core/json.ts";
import { findObject } from "./tool-results.ts";
import type { ToolOutcome } from "./tool-results.ts";

export interface SeenMail {
  readonly id: string;
  readonly from: string;
  readonly subject: string;
  readonly snippet: string;
  readonly body: string;
  /** Undefined if the result does not say. */
  readonly unread: boolean | undefined;
  /** A newsletter or another bulk mail, by its headers. */
  readonly bulk: boolean;
}

export interface Listing {
  readonly mails: readonly SeenMail[];
  readonly nextPage: string | undefined;
  /** 0 if the result does not say. */
  readonly estimate: number;
  /** The result was cut somewhere: there were more mails in it than `mails` holds. */
  readonly shortened: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

export function listingOf(outcome: ToolOutcome): Listing {
  const found = findObject(outcome.data, (one) => Array.isArray(one["messages"]));
  if (found === undefined) return salvagedListing(outcome);
  const messages = Array.isArray(found["messages"]) ? found["messages"].filter(isObject) : [];
  return {
    mails: messages.map(mailOf).filter((one) => one.id !== ""),
    nextPage: textOf(found["nextPageToken"] ?? found["next_page_token"]) || undefined,
    estimate: typeof found["resultSizeEstimate"] === "number" ? found["resultSizeEstimate"] : 0,
    shortened: false,
  };
}

/** The mail that a call for one message brought, or undefined if it brought none. */
export function messageOf(outcome: ToolOutcome): SeenMail | undefined {
  if (outcome.error !== undefined) return undefined;
  const id = askedId(outcome);
  const found = findObject(outcome.data, (one) => isObject(one["payload"]) || typeof one["snippet"] === "string");
  const mail = found === undefined ? salvagedMail(outcome.text) : mailOf(found);
  return mail === undefined ? undefined : { ...mail, id: id || mail.id };
}

/** The id that a call for one message asked for; "" if its arguments are broken. */
export function askedId(outcome: ToolOutcome): string {
  return textOf(outcome.args["message_id"]);
}

function mailOf(message: Fields): SeenMail {
  const payload = isObject(message["payload"]) ? message["payload"] : {};
  const headers = Array.isArray(payload["headers"]) ? payload["headers"].filter(isObject) : [];
  const header = (name: string): string =>
    textOf(headers.find((one) => textOf(one["name"]).toLowerCase() === name)?.["value"]);
  const labels = message["labelIds"];
  return {
    id: textOf(message["id"]),
    from: header("from"),
    subject: header("subject"),
    snippet: textOf(message["snippet"]),
    body: bodyOf(payload),
    unread: Array.isArray(labels) ? labels.includes("UNREAD") : undefined,
    bulk: header("list-unsubscribe") !== "" || header("list-id") !== "" || /bulk|list/i.test(header("precedence")),
  };
}

/** The first text/plain part; else the first text/html part as text; else whatever body there is. */
function bodyOf(payload: Fields): string {
  const leaves = leavesOf(payload, 20);
  const leaf =
    leaves.find((one) => one.type === "text/plain") ?? leaves.find((one) => one.type === "text/html") ?? leaves[0];
  if (leaf === undefined) return "";
  return leaf.type === "text/html" || /^\s*<(!doctype|html)/i.test(leaf.text) ? plain(leaf.text) : leaf.text;
}

function leavesOf(part: Fields, depth: number): { readonly type: string; readonly text: string }[] {
  const parts = Array.isArray(part["parts"]) ? part["parts"].filter(isObject) : [];
  const body = isObject(part["body"]) ? textOf(part["body"]["data"]) : "";
  const type = textOf(part["mimeType"]).toLowerCase();
  const own =
    body === "" || /^(image|audio|video|application)\//.test(type) ? [] : [{ type, text: fromBase64url(body) }];
  return depth === 0 ? own : [...own, ...parts.flatMap((one) => leavesOf(one, depth - 1))];
}

function plain(html: string): string {
  const skipped = { selector: "img", format: "skip" };
  return convert(html.slice(0, 100_000), {
    wordwrap: false,
    selectors: [skipped, { selector: "a", options: { ignoreHref: true } }],
  });
}

function fromBase64url(data: string): string {
  // A body that was shortened may end in half a character.
  return Buffer.from(data, "base64url")
    .toString("utf8")
    .replace(/\uFFFD$/, "");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

// ---- shortened results: what can still be read by its field names --------------------------------------------------

function salvagedListing({ text, error }: ToolOutcome): Listing {
  // Each message says its id before its headers: what stands between two ids belongs to the first.
  const pieces = error === undefined ? text.split(/(?="id"\s*:\s*")/).slice(1) : [];
  const mails = pieces.map((piece) => ({ ...salvagedParts(piece), id: field(piece, "id") }));
  return {
    mails: mails.filter((mail) => mail.id !== ""),
    nextPage: field(text, "nextPageToken") || undefined,
    estimate: Number(/"resultSizeEstimate"\s*:\s*(\d{1,9})/.exec(text)?.[1] ?? 0),
    shortened: error === undefined,
  };
}

function salvagedMail(text: string): SeenMail | undefined {
  const mail = { ...salvagedParts(text), id: field(text, "id") };
  return mail.subject === "" && mail.snippet === "" && mail.body === "" ? undefined : mail;
}

function salvagedParts(text: string): Omit<SeenMail, "id"> {
  const data = /"data"\s*:\s*"([\w-]+)/.exec(text)?.[1] ?? "";
  const body = fromBase64url(data);
  return {
    from: headerIn(text, "From"),
    subject: headerIn(text, "Subject"),
    snippet: field(text, "snippet"),
    body: /^\s*</.test(body) ? plain(body) : body,
    unread: text.includes('"labelIds"') ? text.includes('"UNREAD"') : undefined,
    bulk: /"list-(unsubscribe|id)"/i.test(text),
  };
}

const STRING = String.raw`"((?:[^"\\]|\\.)*)"`;

function field(text: string, name: string): string {
  return unquoted(new RegExp(String.raw`"${name}"\s*:\s*${STRING}`).exec(text)?.[1]);
}

function headerIn(text: string, name: string): string {
  const forward = new RegExp(String.raw`"name"\s*:\s*"${name}"\s*,\s*"value"\s*:\s*${STRING}`, "i").exec(text)?.[1];
  const backward = new RegExp(String.raw`"value"\s*:\s*${STRING}\s*,\s*"name"\s*:\s*"${name}"`, "i").exec(text)?.[1];
  return unquoted(forward ?? backward);
}

function unquoted(inner: string | undefined): string {
  if (inner === undefined) return "";
  try {
    return String(JSON.parse(`"${inner}"`));
  } catch {
    return "";
  }
}
