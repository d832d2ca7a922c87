/** Gmail's reading tools. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mailbox } from "../mailbox/mailbox.ts";
import { MESSAGE_FORMATS, messageResource, type MessageFormat, type StoredMessage } from "../mailbox/message.ts";
import type { ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { flag, integer, list, text } from "./input.ts";

const FORMAT: JsonObject = {
  type: "string",
  description: "Format of the messages: full, metadata, minimal or raw. Default full",
};
const QUERY: JsonObject = {
  type: "string",
  description: "Search query in Gmail's search syntax, e.g. is:unread from:joe",
};
const PAGE: Readonly<Record<string, JsonObject>> = {
  max_results: { type: "integer", description: "Maximum number of results (1 to 100, default 10)" },
  page_token: { type: "string", description: "Page token from an earlier answer" },
  label_ids: { type: "array", items: { type: "string" }, description: "Only results with all of these labels" },
  include_spam_trash: { type: "boolean", description: "Whether to include spam and trash" },
};

const fetchMails: ToolSpec<Mailbox> = {
  name: "gmail_fetch_mails",
  description:
    "Fetch emails from the connected Gmail account, newest first, optionally filtered by a search query or labels.",
  parameters: { query: QUERY, format: FORMAT, ...PAGE },
  versioned: true,
  run(input, mailbox) {
    const format = formatOf(input);
    const page = paged(input, found(input, mailbox));
    return { messages: page.items.map((message) => messageResource(message, format)), ...page.rest };
  },
};

const getMessage: ToolSpec<Mailbox> = {
  name: "gmail_get_message_by_id",
  description: "Get one Gmail message by its id.",
  parameters: { message_id: { type: "string", description: "The message's id" }, format: FORMAT },
  required: ["message_id"],
  versioned: true,
  run(input, mailbox) {
    return messageResource(needMessage(mailbox, text(input, "message_id")), formatOf(input));
  },
};

export const GMAIL_READ_TOOLS: readonly ToolSpec<Mailbox>[] = [fetchMails, getMessage];

export function needMessage(mailbox: Mailbox, id: string | undefined): StoredMessage {
  const message = mailbox.get(id ?? "");
  if (message === undefined) throw notFound();
  return message;
}

export function notFound(): ToolFailure {
  return new ToolFailure(404, "NOT_FOUND", "Requested entity was not found.");
}

function formatOf(input: JsonObject): MessageFormat {
  const wanted = text(input, "format")?.toLowerCase() ?? "full";
  const format = MESSAGE_FORMATS.find((name) => name === wanted);
  if (format === undefined) throw new ToolFailure(400, "INVALID_ARGUMENT", `Invalid value for format: ${wanted}`);
  return format;
}

function found(input: JsonObject, mailbox: Mailbox): readonly StoredMessage[] {
  return mailbox.find({
    query: text(input, "query") ?? "",
    labels: list(input, "label_ids"),
    spamAndTrash: flag(input, "include_spam_trash"),
  });
}

/** Gmail's paging: an opaque token, and an estimate of how many there are. */
export function paged<T>(input: JsonObject, all: readonly T[]): { items: readonly T[]; rest: JsonObject } {
  const size = integer(input, "max_results", 10, [1, 100]);
  const start = integer(input, "page_token", 0, [0, all.length]);
  const end = start + size;
  const rest: JsonObject = { resultSizeEstimate: all.length };
  if (end < all.length) rest["nextPageToken"] = String(end);
  return { items: all.slice(start, end), rest };
}
