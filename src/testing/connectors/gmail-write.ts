/** Gmail's writing tools. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mailbox, Outgoing } from "../mailbox/mailbox.ts";
import type { StoredMessage } from "../mailbox/message.ts";
import type { ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { id, LABELLED, needMessage, needThread, notFound, texts } from "./gmail-shared.ts";
import { list, text } from "./input.ts";

const LETTER: Readonly<Record<string, JsonObject>> = {
  to: { type: "string", description: "Recipients: one address, or several with commas between" },
  subject: { type: "string", description: "Subject line" },
  body: { type: "string", description: "The text, plain or HTML as content_type says" },
  cc: { type: "string", description: "Further recipients, with commas between" },
  bcc: { type: "string", description: "Hidden recipients, with commas between" },
  content_type: { type: "string", description: "text/plain (default) or text/html" },
  thread_id: { type: "string", description: "A thread to add this message to" },
};

export const GMAIL_WRITE_TOOLS: readonly ToolSpec<Mailbox>[] = [
  {
    name: "gmail_create_draft",
    description: "Write a draft.",
    parameters: LETTER,
    required: ["to", "subject", "body"],
    versioned: true,
    async run(input, mailbox) {
      const draft = await mailbox.draft(outgoing(input));
      return { id: draft.id, message: brief(draft.message) };
    },
  },
  {
    name: "gmail_update_draft",
    description: "Replace what a draft says.",
    parameters: { draft_id: id("The draft's id"), ...LETTER },
    required: ["draft_id", "to", "subject", "body"],
    versioned: true,
    async run(input, mailbox) {
      const draft = await mailbox.updateDraft(text(input, "draft_id") ?? "", outgoing(input));
      if (draft === undefined) throw notFound();
      return { id: draft.id, message: brief(draft.message) };
    },
  },
  {
    name: "gmail_delete_draft",
    description: "Delete a draft for ever.",
    parameters: { draft_id: id("The draft's id") },
    required: ["draft_id"],
    versioned: true,
    run(input, mailbox) {
      if (!mailbox.deleteDraft(text(input, "draft_id") ?? "")) throw notFound();
      return {};
    },
  },
  {
    name: "gmail_send_draft",
    description: "Send a draft. It is then no longer one.",
    parameters: { draft_id: id("The draft's id") },
    required: ["draft_id"],
    versioned: true,
    run(input, mailbox) {
      const message = mailbox.sendDraft(text(input, "draft_id") ?? "");
      if (message === undefined) throw notFound();
      return brief(message);
    },
  },
  {
    name: "gmail_send_message",
    description: "Send an email at once.",
    parameters: LETTER,
    required: ["to", "subject", "body"],
    versioned: true,
    async run(input, mailbox) {
      const letter = outgoing(input);
      if (letter.threadId !== undefined) needThread(mailbox, letter.threadId);
      return brief(await mailbox.send(letter));
    },
  },
  {
    name: "gmail_reply_to_thread",
    description: "Send a reply within a thread.",
    parameters: {
      ...LETTER,
      in_reply_to_message_id: { type: "string", description: "Message-ID header of the message that is answered" },
    },
    required: ["thread_id", "to", "body"],
    versioned: true,
    async run(input, mailbox) {
      needThread(mailbox, text(input, "thread_id"));
      const inReplyTo = text(input, "in_reply_to_message_id");
      const reply = { ...outgoing(input), subject: text(input, "subject") ?? "Re:" };
      return brief(await mailbox.send(inReplyTo === undefined ? reply : { ...reply, inReplyTo }));
    },
  },
  {
    name: "gmail_modify_message_labels",
    description: "Add labels to a message or remove some.",
    parameters: { message_id: id("The message's id"), ...LABELLED },
    required: ["message_id"],
    versioned: true,
    run: (input, mailbox) => brief(relabel(needMessage(mailbox, text(input, "message_id")), input)),
  },
  {
    name: "gmail_batch_modify_messages",
    description: "Add labels to up to 1000 messages or remove some.",
    parameters: { message_ids: texts("The messages' ids"), ...LABELLED },
    required: ["message_ids"],
    versioned: true,
    run(input, mailbox) {
      const messages = list(input, "message_ids").map((messageId) => needMessage(mailbox, messageId));
      for (const message of messages) relabel(message, input);
      return {};
    },
  },
  {
    name: "gmail_modify_thread_labels",
    description: "Add labels to all messages of a thread or remove some.",
    parameters: { thread_id: id("The thread's id"), ...LABELLED },
    required: ["thread_id"],
    run(input, mailbox) {
      const messages = needThread(mailbox, text(input, "thread_id")).map((message) => brief(relabel(message, input)));
      return { id: text(input, "thread_id") ?? "", messages };
    },
  },
  {
    name: "gmail_trash_message",
    description: "Move a message to the trash.",
    parameters: { message_id: id("The message's id") },
    required: ["message_id"],
    versioned: true,
    run: (input, mailbox) => brief(trash(needMessage(mailbox, text(input, "message_id")))),
  },
  {
    name: "gmail_untrash_message",
    description: "Take a message out of the trash.",
    parameters: { message_id: id("The message's id") },
    required: ["message_id"],
    versioned: true,
    run(input, mailbox) {
      const message = needMessage(mailbox, text(input, "message_id"));
      message.labels.delete("TRASH");
      return brief(message);
    },
  },
  {
    name: "gmail_trash_thread",
    description: "Move a thread with all its messages to the trash.",
    parameters: { thread_id: id("The thread's id") },
    required: ["thread_id"],
    run(input, mailbox) {
      const messages = needThread(mailbox, text(input, "thread_id")).map((message) => brief(trash(message)));
      return { id: text(input, "thread_id") ?? "", messages };
    },
  },
  {
    name: "gmail_create_label",
    description: "Make a label.",
    parameters: { name: { type: "string", description: "The label's name" } },
    required: ["name"],
    versioned: true,
    run(input, mailbox) {
      const name = text(input, "name") ?? "";
      const labelId = mailbox.createLabel(name);
      if (labelId === undefined) throw new ToolFailure(409, "ALREADY_EXISTS", "Label name exists or conflicts");
      return { id: labelId, name, type: "user" };
    },
  },
  {
    name: "gmail_delete_label",
    description: "Delete a label the user has made.",
    parameters: { label_id: id("The label's id") },
    required: ["label_id"],
    versioned: true,
    run(input, mailbox) {
      if (!mailbox.deleteLabel(text(input, "label_id") ?? "")) throw notFound();
      return {};
    },
  },
];

function outgoing(input: JsonObject): Outgoing {
  const optional = { cc: "cc", bcc: "bcc", contentType: "content_type", threadId: "thread_id" } as const;
  const given = Object.entries(optional).flatMap(([key, name]) => {
    const value = text(input, name);
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    to: recipients(text(input, "to") ?? ""),
    subject: text(input, "subject") ?? "",
    body: text(input, "body") ?? "",
    ...Object.fromEntries(given),
  };
}

/** @throws ToolFailure 400, as Gmail does when it cannot read an address */
function recipients(to: string): string {
  if (to.split(",").every((address) => /^[^@]*[^@\s<>]+@[^@\s<>]+>?\s*$/.test(address))) return to;
  throw new ToolFailure(400, "INVALID_ARGUMENT", "Invalid To header");
}

function relabel(message: StoredMessage, input: JsonObject): StoredMessage {
  for (const label of list(input, "add_label_ids")) message.labels.add(label);
  for (const label of list(input, "remove_label_ids")) message.labels.delete(label);
  return message;
}

function trash(message: StoredMessage): StoredMessage {
  message.labels.add("TRASH");
  message.labels.delete("INBOX");
  return message;
}

/** What writing tools answer: ids and labels, no content. */
function brief(message: StoredMessage): JsonObject {
  return { id: message.id, threadId: message.threadId, labelIds: [...message.labels] };
}
