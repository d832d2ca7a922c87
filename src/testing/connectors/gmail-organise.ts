/** Gmail's tools that put mail in order: labels and trash. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mailbox } from "../mailbox/mailbox.ts";
import type { StoredMessage } from "../mailbox/message.ts";
import type { ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { brief, id, LABELLED, needMessage, needThread, notFound, texts } from "./gmail-shared.ts";
import { list, text } from "./input.ts";

export const GMAIL_ORGANISE_TOOLS: readonly ToolSpec<Mailbox>[] = [
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
