/** Gmail's tools that write and send mail. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mailbox, Outgoing } from "../mailbox/mailbox.ts";
import type { ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { brief, id, needThread, notFound } from "./gmail-shared.ts";
import { text } from "./input.ts";

const LETTER: Readonly<Record<string, JsonObject>> = {
  to: { type: "string", description: "Recipients: one address, or several with commas between" },
  subject: { type: "string", description: "Subject line" },
  body: { type: "string", description: "The text, plain or HTML as content_type says" },
  cc: { type: "string", description: "Further recipients, with commas between" },
  bcc: { type: "string", description: "Hidden recipients, with commas between" },
  content_type: { type: "string", description: "text/plain (default) or text/html" },
  thread_id: { type: "string", description: "A thread to add this message to" },
};

export const GMAIL_SEND_TOOLS: readonly ToolSpec<Mailbox>[] = [
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
