/** Gmail's reading tools. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Mailbox } from "../mailbox/mailbox.ts";
import { messageResource, type StoredMessage } from "../mailbox/message.ts";
import type { ToolSpec } from "./connector.ts";
import { FORMAT, formatOf, id, needMessage, needThread, notFound, paged, texts } from "./gmail-shared.ts";
import { flag, integer, list, text } from "./input.ts";

const SYSTEM_LABELS = ["INBOX", "UNREAD", "STARRED", "IMPORTANT", "SENT", "DRAFT", "SPAM", "TRASH"] as const;

const PAGE: Readonly<Record<string, JsonObject>> = {
  max_results: { type: "integer", description: "How many at most: 1 to 100, default 10" },
  page_token: { type: "string", description: "nextPageToken of the page before" },
};

const SEARCH: Readonly<Record<string, JsonObject>> = {
  query: { type: "string", description: "A query in Gmail's search syntax, e.g. is:unread from:ann@example.com" },
  label_ids: texts("Only what has all of these labels"),
  include_spam_trash: { type: "boolean", description: "Whether spam and trash are included" },
  ...PAGE,
};

export const GMAIL_READ_TOOLS: readonly ToolSpec<Mailbox>[] = [
  {
    name: "gmail_fetch_mails",
    description: "Fetch emails of the connected Gmail account, newest first, optionally filtered by a query or labels.",
    parameters: { ...SEARCH, format: FORMAT },
    versioned: true,
    run(input, mailbox) {
      const format = formatOf(input);
      const page = paged(input, find(input, mailbox));
      return { messages: page.items.map((message) => messageResource(message, format)), ...page.rest };
    },
  },
  {
    name: "gmail_get_message_by_id",
    description: "Get one Gmail message by its id.",
    parameters: { message_id: id("The message's id"), format: FORMAT },
    required: ["message_id"],
    versioned: true,
    run: (input, mailbox) => messageResource(needMessage(mailbox, text(input, "message_id")), formatOf(input)),
  },
  {
    name: "gmail_list_threads",
    description: "List threads of the connected Gmail account, newest first, optionally filtered by a query or labels.",
    parameters: SEARCH,
    versioned: true,
    run(input, mailbox) {
      const newest = new Map<string, StoredMessage>();
      for (const message of find(input, mailbox))
        if (!newest.has(message.threadId)) newest.set(message.threadId, message);
      const page = paged(input, [...newest.values()]);
      const threads = page.items.map((message) => {
        const { snippet, historyId } = messageResource(message, "minimal");
        return { id: message.threadId, snippet: snippet ?? "", historyId: historyId ?? "" };
      });
      return { threads, ...page.rest };
    },
  },
  {
    name: "gmail_get_thread_by_id",
    description: "Get one Gmail thread with its messages, oldest first.",
    parameters: {
      thread_id: id("The thread's id"),
      format: FORMAT,
      metadata_headers: texts("With format metadata: only these headers"),
    },
    required: ["thread_id"],
    versioned: true,
    run(input, mailbox) {
      const messages = needThread(mailbox, text(input, "thread_id"));
      const [format, names] = [formatOf(input), list(input, "metadata_headers")];
      return {
        id: text(input, "thread_id") ?? "",
        historyId: messages.at(-1)?.id ?? "",
        messages: messages.map((message) => messageResource(message, format, names)),
      };
    },
  },
  {
    name: "gmail_get_profile",
    description: "Get the connected account's email address and how many messages and threads it has.",
    parameters: {},
    versioned: true,
    run: (_input, { address, messages }) => ({
      emailAddress: address,
      messagesTotal: messages.length,
      threadsTotal: new Set(messages.map(({ threadId }) => threadId)).size,
      historyId: messages[0]?.id ?? "1",
    }),
  },
  {
    name: "gmail_list_labels",
    description: "List all labels: Gmail's own and those the user has made.",
    parameters: {},
    versioned: true,
    run: (_input, mailbox) => ({
      labels: [
        ...SYSTEM_LABELS.map((name) => ({ id: name, name, type: "system" })),
        ...[...mailbox.userLabels].map(([labelId, name]) => ({ id: labelId, name, type: "user" })),
      ],
    }),
  },
  {
    name: "gmail_list_drafts",
    description: "List drafts.",
    parameters: PAGE,
    versioned: true,
    run(input, mailbox) {
      const page = paged(input, mailbox.drafts);
      const drafts = page.items.map(({ id: draftId, message }) => ({
        id: draftId,
        message: { id: message.id, threadId: message.threadId },
      }));
      return { drafts, ...page.rest };
    },
  },
  {
    name: "gmail_get_draft",
    description: "Get one draft.",
    parameters: { draft_id: id("The draft's id"), format: FORMAT },
    required: ["draft_id"],
    versioned: true,
    run(input, mailbox) {
      const draft = mailbox.drafts.find((one) => one.id === text(input, "draft_id"));
      if (draft === undefined) throw notFound();
      return { id: draft.id, message: messageResource(draft.message, formatOf(input)) };
    },
  },
  {
    name: "gmail_search_people",
    description: "Search the people the user has exchanged mail with.",
    parameters: {
      query: { type: "string", description: "Part of a name or an email address" },
      page_size: { type: "integer", description: "How many at most, default 10" },
    },
    required: ["query"],
    versioned: true,
    run(input, mailbox) {
      const query = (text(input, "query") ?? "").toLowerCase();
      const senders = [...new Set(mailbox.messages.map(({ mail }) => mail.from))].filter((from) => from !== "");
      const found = senders.filter((from) => from.toLowerCase().includes(query));
      return { results: found.slice(0, integer(input, "page_size", 10, [1, 30])).map(person) };
    },
  },
  {
    name: "gmail_list_filters",
    description: "List the account's mail filters.",
    parameters: {},
    versioned: true,
    run: (_input, { filters }) => ({ filter: filters.map((filter) => ({ ...filter })) }),
  },
  {
    name: "gmail_list_send_as",
    description: "List the addresses the user can send from.",
    parameters: {},
    run: (_input, { address }) => ({
      sendAs: [{ sendAsEmail: address, displayName: "", isPrimary: true, isDefault: true }],
    }),
  },
  {
    name: "gmail_get_vacation_settings",
    description: "Get the account's vacation reply settings.",
    parameters: {},
    versioned: true,
    run: () => ({ enableAutoReply: false }),
  },
];

function find(input: JsonObject, mailbox: Mailbox): readonly StoredMessage[] {
  return mailbox.find({
    query: text(input, "query") ?? "",
    labels: list(input, "label_ids"),
    spamAndTrash: flag(input, "include_spam_trash"),
  });
}

function person(from: string): JsonObject {
  const [, name = "", address = from] = /^(.*?) <([^>]*)>$/.exec(from) ?? [];
  return { person: { names: [{ displayName: name }], emailAddresses: [{ value: address }] } };
}
