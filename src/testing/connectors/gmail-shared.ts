/** What Gmail's reading and writing tools share. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mailbox } from "../mailbox/mailbox.ts";
import { MESSAGE_FORMATS, type MessageFormat, type StoredMessage } from "../mailbox/message.ts";
import { ToolFailure } from "./failure.ts";
import { integer, text } from "./input.ts";

export const FORMAT: JsonObject = {
  type: "string",
  description: "Format of the messages: full (default), metadata, minimal or raw",
};

export function id(description: string): JsonObject {
  return { type: "string", description };
}

export function texts(description: string): JsonObject {
  return { type: "array", items: { type: "string" }, description };
}

export function notFound(): ToolFailure {
  return new ToolFailure(404, "NOT_FOUND", "Requested entity was not found.");
}

/** @throws ToolFailure 404 */
export function needMessage(mailbox: Mailbox, messageId: string | undefined): StoredMessage {
  const message = mailbox.get(messageId ?? "");
  if (message === undefined) throw notFound();
  return message;
}

/** @throws ToolFailure 404 */
export function needThread(mailbox: Mailbox, threadId: string | undefined): readonly StoredMessage[] {
  const messages = mailbox.thread(threadId ?? "");
  if (messages.length === 0) throw notFound();
  return messages;
}

/** @throws ToolFailure 400 */
export function formatOf(input: JsonObject): MessageFormat {
  const wanted = text(input, "format")?.toLowerCase() ?? "full";
  const format = MESSAGE_FORMATS.find((name) => name === wanted);
  if (format === undefined) throw new ToolFailure(400, "INVALID_ARGUMENT", `Invalid value for format: ${wanted}`);
  return format;
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

export const LABELLED: Readonly<Record<string, JsonObject>> = {
  add_label_ids: texts("Labels to add, e.g. STARRED or INBOX"),
  remove_label_ids: texts("Labels to remove, e.g. UNREAD"),
};

/** What writing tools answer: ids and labels, no content. */
export function brief(message: StoredMessage): JsonObject {
  return { id: message.id, threadId: message.threadId, labelIds: [...message.labels] };
}
