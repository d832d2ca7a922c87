/** A mail as Gmail's API shows it: the message resource in its four formats. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mail } from "./mail.ts";

export const MESSAGE_FORMATS = ["full", "metadata", "minimal", "raw"] as const;
export type MessageFormat = (typeof MESSAGE_FORMATS)[number];

/** A mail in a mailbox. */
export interface StoredMessage {
  readonly id: string;
  readonly threadId: string;
  readonly mail: Mail;
  readonly labels: Set<string>;
  /** Unix milliseconds. */
  readonly internalDate: number;
}

/** The resource `users.messages.get` answers, for the given format. */
export function messageResource(
  message: StoredMessage,
  format: MessageFormat,
  headerNames: readonly string[] = [],
): JsonObject {
  const { mail } = message;
  const resource: JsonObject = {
    id: message.id,
    threadId: message.threadId,
    labelIds: [...message.labels],
    snippet: mail.text.replaceAll(/\s+/g, " ").trim().slice(0, 200).toWellFormed(),
    historyId: message.id,
    internalDate: String(message.internalDate),
    sizeEstimate: mail.raw.byteLength,
  };
  if (format === "raw") resource["raw"] = Buffer.from(mail.raw).toString("base64url");
  if (format === "metadata") resource["payload"] = { mimeType: mimeType(mail), headers: headers(mail, headerNames) };
  if (format === "full") resource["payload"] = payload(mail);
  return resource;
}

function headers(mail: Mail, only: readonly string[]): JsonObject[] {
  const wanted = new Set(only.map((name) => name.toLowerCase()));
  return mail.headers
    .filter((header) => wanted.size === 0 || wanted.has(header.name.toLowerCase()))
    .map((header) => ({ name: header.name, value: header.value.toWellFormed() }));
}

function mimeType(mail: Mail): string {
  if (mail.attachments.length > 0) return "multipart/mixed";
  if (mail.html === undefined) return "text/plain";
  return mail.hasPlainPart ? "multipart/alternative" : "text/html";
}

/** The tree of parts, with Gmail's part ids: "" is the root, "0.1" the second child of the first child. */
function payload(mail: Mail): JsonObject {
  const texts: JsonObject[] = [];
  if (mail.hasPlainPart || mail.html === undefined) texts.push(textPart("text/plain", mail.text));
  if (mail.html !== undefined) texts.push(textPart("text/html", mail.html));
  const [only] = texts;
  const body = texts.length === 1 && only !== undefined ? only : multipart("multipart/alternative", texts);
  const root = mail.attachments.length === 0 ? body : multipart("multipart/mixed", [body, ...attachmentParts(mail)]);
  return number({ ...root, headers: headers(mail, []) }, "");
}

function textPart(type: string, text: string): JsonObject {
  const data = Buffer.from(text, "utf8");
  return {
    mimeType: type,
    filename: "",
    headers: [{ name: "Content-Type", value: `${type}; charset="UTF-8"` }],
    body: { size: data.byteLength, data: data.toString("base64url") },
  };
}

function attachmentParts(mail: Mail): JsonObject[] {
  return mail.attachments.map((attachment, index) => ({
    mimeType: attachment.mimeType,
    filename: attachment.filename.toWellFormed(),
    headers: [{ name: "Content-Type", value: attachment.mimeType }],
    body: { attachmentId: `att-${index}`, size: attachment.content.byteLength },
  }));
}

function multipart(type: string, parts: JsonObject[]): JsonObject {
  return { mimeType: type, filename: "", headers: [], body: { size: 0 }, parts };
}

function number(part: JsonObject, partId: string): JsonObject {
  const { parts, ...rest } = part;
  if (!Array.isArray(parts)) return { partId, ...rest };
  const numbered = parts.map((child, index) => {
    const id = partId === "" ? String(index) : `${partId}.${index}`;
    return typeof child === "object" && child !== null && !Array.isArray(child) ? number(child, id) : child;
  });
  return { partId, ...rest, parts: numbered };
}
