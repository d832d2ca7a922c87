/** What the digest script knows of the inbox: everything that the transcript shows, and nothing else. */
import { askedId, listingOf, messageOf, type SeenMail } from "./gmail-results.ts";
import type { ScriptRequest } from "./protocol.ts";
import { toolOutcomes } from "./tool-results.ts";

export const FETCH = "gmail_fetch_mails";
export const READ = "gmail_get_message_by_id";

export interface SeenInbox {
  /** Every mail once, in the order of the lists, with what was read of it. */
  readonly mails: readonly SeenMail[];
  /** Ids that a call asked for, whatever came back. */
  readonly asked: ReadonlySet<string>;
  /** Mails nobody asked for yet, letters before newsletters. */
  readonly unasked: readonly SeenMail[];
  /** How many mails were read in full. */
  readonly read: number;
  readonly listings: number;
  /** Where the last list goes on; undefined if it is complete or failed. */
  readonly nextPage: string | undefined;
  /** A list came shortened, so mails are missing here. */
  readonly shortened: boolean;
  /** How many mails there are, as the mail server guesses; 0 if it does not say. */
  readonly estimate: number;
  /** What each failed call said. */
  readonly errors: readonly string[];
}

export function seenMails(request: ScriptRequest): SeenInbox {
  const outcomes = toolOutcomes(request);
  const lists = outcomes.filter((one) => one.name === FETCH).map(listingOf);
  const reads = outcomes.filter((one) => one.name === READ);
  const bodies = new Map<string, SeenMail>();
  for (const mail of reads.map(messageOf)) if (mail !== undefined) bodies.set(mail.id, mail);
  // A mail may be read without being listed, when its list was shortened or left out later.
  const listed = new Map<string, SeenMail>();
  for (const mail of [...lists.flatMap((list) => list.mails), ...bodies.values()])
    if (!listed.has(mail.id)) listed.set(mail.id, merged(mail, bodies.get(mail.id)));
  const mails = [...listed.values()];
  const asked = new Set(reads.map(askedId));
  return {
    mails,
    asked,
    unasked: mails.filter((mail) => !asked.has(mail.id)).toSorted((a, b) => Number(a.bulk) - Number(b.bulk)),
    read: bodies.size,
    listings: lists.length,
    nextPage: lists.at(-1)?.nextPage,
    shortened: lists.some((list) => list.shortened),
    estimate: Math.max(0, ...lists.map((list) => list.estimate)),
    errors: outcomes.flatMap((one) => one.error ?? []),
  };
}

function merged(listed: SeenMail, read: SeenMail | undefined): SeenMail {
  if (read === undefined) return listed;
  return {
    id: listed.id,
    from: read.from || listed.from,
    subject: read.subject || listed.subject,
    snippet: read.snippet || listed.snippet,
    body: read.body,
    unread: listed.unread ?? read.unread,
    bulk: listed.bulk || read.bulk,
  };
}
