/** The digest itself: counts, top senders and one line of each mail that matters most, in the mails' own words. */
import type { SeenInbox } from "./digest-seen.ts";
import type { SeenMail } from "./gmail-results.ts";
import { clean, keyLine, senderName, shorten } from "./mail-text.ts";

export type Highlight = { readonly from: string; readonly subject: string; readonly why: string };

/** The answer's JSON. */
export interface InboxDigest {
  readonly unread: number;
  readonly summary: string;
  /** At most 5, the most important first. */
  readonly highlights: readonly Highlight[];
}

/** @param query the search the mails were found with: it may say that all of them are unread */
export function digestOf(seen: SeenInbox, query: string): InboxDigest {
  const onlyUnread = /\bis:unread\b/.test(query);
  const counted = seen.mails.filter((mail) => mail.unread ?? onlyUnread).length;
  const guessed = onlyUnread && (seen.nextPage !== undefined || seen.shortened) ? seen.estimate : 0;
  return { unread: Math.max(counted, guessed), summary: summaryOf(seen), highlights: highlightsOf(seen.mails) };
}

function summaryOf(seen: SeenInbox): string {
  const gaps = gapsIn(seen);
  if (seen.listings === 0) return "The inbox was not read.";
  if (seen.mails.length === 0) return gaps === "" ? "No mails were found." : `The inbox could not be read.${gaps}`;
  const known = seen.mails.filter((mail) => mail.from !== "");
  const senders = new Map<string, number>();
  for (const name of known.map((mail) => senderName(mail.from))) senders.set(name, (senders.get(name) ?? 0) + 1);
  const top = [...senders].toSorted((a, b) => b[1] - a[1]).slice(0, 3);
  const names = top.map(([name, mails]) => (mails > 1 ? `${name} (${mails})` : name)).join(", ");
  const subjects = known.slice(0, 3).map((mail) => `“${shorten(subjectOf(mail), 60)}”`);
  const details = known.length === 0 ? "" : ` Top senders: ${names}. Newest: ${subjects.join(", ")}.`;
  return `${count(seen.mails.length, "mail")} found, ${seen.read} read in full.${details}${gaps}`;
}

/** What the reader has to know about what is missing; "" if nothing is. */
function gapsIn(seen: SeenInbox): string {
  const kinds = [...new Set(seen.errors.map((error) => shorten(clean(error), 60)))].join(", ");
  const failed = seen.errors.length === 0 ? "" : ` ${count(seen.errors.length, "tool call")} failed (${kinds}).`;
  return seen.shortened ? `${failed} The list came shortened.` : failed;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function highlightsOf(mails: readonly SeenMail[]): Highlight[] {
  return mails
    .filter((mail) => mail.from !== "" || mail.subject !== "")
    .map((mail) => {
      const line = keyLine(mail.body || mail.snippet);
      // Letters that want something first; newsletters, unread bodies and traps last.
      const score = (line.wanted ? 4 : 0) - (mail.bulk ? 3 : 0) - (line.trap ? 2 : 0) - (mail.body === "" ? 1 : 0);
      const why =
        line.text || (line.trap ? "Holds only text addressed to an assistant; passed over." : "No readable text.");
      return { score, highlight: { from: senderName(mail.from), subject: subjectOf(mail), why } };
    })
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 5)
    .map((one) => one.highlight);
}

function subjectOf(mail: SeenMail): string {
  return shorten(clean(mail.subject), 120) || "(no subject)";
}
