/** A user's mailbox: messages with labels and threads, drafts, and what was sent. It survives a lost or deleted account. */
import type { JsonObject } from "@bufbuild/protobuf";
import { parseMail, type Mail } from "./mail.ts";
import type { StoredMessage } from "./message.ts";
import { matcher } from "./search.ts";

/** A mail to be written by the mailbox's owner. */
export interface Outgoing {
  readonly to: string;
  readonly subject: string;
  readonly body: string;
  readonly cc?: string;
  readonly bcc?: string;
  /** `text/plain` (default) or `text/html`. */
  readonly contentType?: string;
  readonly threadId?: string;
  /** Message-ID header of the mail that this one answers. */
  readonly inReplyTo?: string;
}

export interface MailFilter {
  readonly query?: string;
  /** All of them must be there. */
  readonly labels?: readonly string[];
  /** Spam and trash are left out unless this is true or the query or labels ask for them. */
  readonly spamAndTrash?: boolean;
}

export interface LoadOptions {
  /** Labels of the loaded mails. Default INBOX and UNREAD. */
  readonly labels?: readonly string[];
  /**
   * Unix milliseconds: shifts all arrival times alike, so that the newest mail arrived then and `newer_than:1d` finds
   * something in an old mbox. The mails' own Date headers stay. Default: mails arrived when they say.
   */
  readonly newestAt?: number;
}

export interface Draft {
  readonly id: string;
  readonly message: StoredMessage;
}

/** Gmail's own form. */
export interface MailRule {
  readonly id: string;
  readonly criteria: JsonObject;
  readonly action: JsonObject;
}

export class Mailbox {
  readonly address: string;
  /** The owner's filters. They are kept, and sort nothing. */
  readonly filters: MailRule[] = [];
  readonly #now: () => number;
  readonly #messages = new Map<string, StoredMessage>();
  readonly #drafts = new Map<string, Draft>();
  readonly #userLabels = new Map<string, string>();
  readonly #threadOf = new Map<string, string>();
  #lastLabel = 0;
  #lastId = 0x18c0_0000_0000;

  /** @param now Unix milliseconds: dates what the owner writes, and what `newer_than:` counts from. */
  constructor(address: string, now: () => number) {
    this.address = address;
    this.#now = now;
  }

  /** All messages, newest first. */
  get messages(): readonly StoredMessage[] {
    return [...this.#messages.values()].toReversed().toSorted((a, b) => b.internalDate - a.internalDate);
  }

  get drafts(): readonly Draft[] {
    return [...this.#drafts.values()];
  }

  /** What the owner has sent, oldest first. */
  get sent(): readonly StoredMessage[] {
    return [...this.#messages.values()].filter((message) => message.labels.has("SENT"));
  }

  /** Labels the owner has made: name by id (`Label_1`). */
  get userLabels(): ReadonlyMap<string, string> {
    return this.#userLabels;
  }

  /** Answers the new label's id, or undefined if the name is taken. */
  createLabel(name: string): string | undefined {
    if ([...this.#userLabels.values()].includes(name)) return undefined;
    const id = `Label_${++this.#lastLabel}`;
    this.#userLabels.set(id, name);
    return id;
  }

  /** Also takes it off all messages. Answers whether it was there. */
  deleteLabel(id: string): boolean {
    if (!this.#userLabels.delete(id)) return false;
    for (const { labels } of this.#messages.values()) labels.delete(id);
    return true;
  }

  /** Puts mails into the mailbox, as if they had come by mail. */
  load(mails: Iterable<Mail>, options: LoadOptions = {}): readonly StoredMessage[] {
    const all = [...mails];
    const newest = all.reduce((latest, { date }) => Math.max(latest, date ?? latest), Number.NEGATIVE_INFINITY);
    const shift = options.newestAt === undefined || !Number.isFinite(newest) ? 0 : options.newestAt - newest;
    return all.map((mail) => this.#store(mail, options.labels ?? ["INBOX", "UNREAD"], undefined, shift));
  }

  /** Messages that match, newest first. */
  find(filter: MailFilter = {}): readonly StoredMessage[] {
    const query = filter.query ?? "";
    const labels = filter.labels ?? [];
    const matches = matcher(query, this.#now());
    const hidden = ["SPAM", "TRASH"].filter(
      (label) =>
        filter.spamAndTrash !== true &&
        !labels.includes(label) &&
        !new RegExp(`in:(${label}|anywhere)`, "i").test(query),
    );
    return this.messages.filter(
      (message) =>
        labels.every((label) => message.labels.has(label)) &&
        !hidden.some((label) => message.labels.has(label)) &&
        matches(message),
    );
  }

  get(id: string): StoredMessage | undefined {
    return this.#messages.get(id);
  }

  /** Messages of a thread, oldest first; empty if there is no such thread. */
  thread(threadId: string): readonly StoredMessage[] {
    return this.messages.filter((message) => message.threadId === threadId).toReversed();
  }

  /** Removes a message for ever. Answers whether it was there. */
  delete(id: string): boolean {
    return this.#messages.delete(id);
  }

  /** Writes a mail and sends it: it stands in SENT. */
  async send(outgoing: Outgoing): Promise<StoredMessage> {
    return this.#store(await this.#compose(outgoing), ["SENT"], outgoing.threadId);
  }

  async draft(outgoing: Outgoing): Promise<Draft> {
    const message = this.#store(await this.#compose(outgoing), ["DRAFT"], outgoing.threadId);
    const draft: Draft = { id: `r-${message.id}`, message };
    this.#drafts.set(draft.id, draft);
    return draft;
  }

  /** Replaces what a draft says. Undefined if there is no such draft. */
  async updateDraft(id: string, outgoing: Outgoing): Promise<Draft | undefined> {
    const old = this.#drafts.get(id);
    if (old === undefined) return undefined;
    this.#messages.delete(old.message.id);
    const message = this.#store(await this.#compose(outgoing), ["DRAFT"], outgoing.threadId ?? old.message.threadId);
    const draft: Draft = { id, message };
    this.#drafts.set(id, draft);
    return draft;
  }

  /** Sends a draft: it stops being one. Undefined if there is no such draft. */
  sendDraft(id: string): StoredMessage | undefined {
    const draft = this.#drafts.get(id);
    if (draft === undefined) return undefined;
    this.#drafts.delete(id);
    draft.message.labels.delete("DRAFT");
    draft.message.labels.add("SENT");
    return draft.message;
  }

  /** Answers whether there was such a draft. */
  deleteDraft(id: string): boolean {
    const draft = this.#drafts.get(id);
    if (draft !== undefined) this.#messages.delete(draft.message.id);
    return this.#drafts.delete(id);
  }

  #store(mail: Mail, labels: readonly string[], threadId?: string, shift = 0): StoredMessage {
    const id = (++this.#lastId).toString(16).padStart(16, "0");
    const known = [...mail.references].reverse().find((reference) => this.#threadOf.has(reference));
    const thread = threadId ?? (known === undefined ? undefined : this.#threadOf.get(known)) ?? id;
    const message = {
      id,
      threadId: thread,
      mail,
      labels: new Set(labels),
      internalDate: mail.date === undefined ? this.#now() : mail.date + shift,
    };
    if (mail.messageId !== undefined) this.#threadOf.set(mail.messageId, thread);
    this.#messages.set(id, message);
    return message;
  }

  async #compose(outgoing: Outgoing): Promise<Mail> {
    const answered = outgoing.inReplyTo === undefined ? undefined : oneLine(outgoing.inReplyTo);
    const lines = [
      `From: ${this.address}`,
      `To: ${oneLine(outgoing.to)}`,
      ...(outgoing.cc === undefined ? [] : [`Cc: ${oneLine(outgoing.cc)}`]),
      ...(outgoing.bcc === undefined ? [] : [`Bcc: ${oneLine(outgoing.bcc)}`]),
      `Subject: ${oneLine(outgoing.subject)}`,
      `Date: ${new Date(this.#now()).toUTCString()}`,
      `Message-ID: <${(this.#lastId + 1).toString(16)}@mail.invalid>`,
      ...(answered === undefined ? [] : [`In-Reply-To: ${answered}`, `References: ${answered}`]),
      "MIME-Version: 1.0",
      `Content-Type: ${oneLine(outgoing.contentType ?? "text/plain")}; charset="utf-8"`,
      "Content-Transfer-Encoding: 8bit",
    ];
    return await parseMail(`${lines.join("\r\n")}\r\n\r\n${outgoing.body}`);
  }
}

/** A header value is one line: a line break in it would start a header of the writer's choice. */
function oneLine(value: string): string {
  return value.replaceAll(/[\r\n]+/g, " ");
}
