/** What stands in the journal's keys, as text. Reading checks the frame; a damaged entry is an error, never a guess. */
import type { Decision, Entry } from "../core/journal.ts";
import type { Evidence } from "../core/outcome.ts";

/** As a record: a kind that is left out here does not compile. */
const KINDS: Readonly<Record<Entry["kind"], true>> = {
  created: true,
  covers: true,
  leased: true,
  prepared: true,
  "turn-requested": true,
  "summary-requested": true,
  "turn-accepted": true,
  "turn-failed": true,
  compacted: true,
  "turn-committed": true,
  "call-claimed": true,
  unknown: true,
  "look-planned": true,
  looked: true,
  "limits-raised": true,
  "sub-planned": true,
  "approval-asked": true,
  parked: true,
  "budget-met": true,
  yielded: true,
  ended: true,
};

/** @throws Error on a text that is not a decision of this version */
export function decodeDecision(text: string): Decision {
  const frame = /^(\d+) (\d+) \S+\n/.exec(text);
  if (frame === null)
    throw new Error(`journal: expected "<at> <epoch> <nonce>" before an entry, got ${text.length} other characters`);
  const body = JSON.parse(text.slice(frame[0].length)) as Entry;
  if (!Object.hasOwn(KINDS, body.kind))
    throw new Error(`journal: unknown entry "${String(body.kind)}"; was it written by a newer version of Errand?`);
  return { ...body, at: Number(frame[1]), epoch: Number(frame[2]) };
}

/** Of a text that may be damaged. */
export function isLease(text: string): boolean {
  return /^\d+ \d+ \S+\n\{"kind":"leased"/.test(text);
}

/** For logs and people: what `JSON.parse` says shows a part of what it read. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof SyntaxError) return "an entry is no JSON";
  return error instanceof Error ? error.message : "unknown";
}

/** @throws Error on a text that is not evidence */
export function decodeEvidence(text: string): Evidence {
  const frame = /^(\d+)\n/.exec(text);
  if (frame === null) throw new Error(`evidence: expected a time before it, got ${text.length} other characters`);
  return { ...(JSON.parse(text.slice(frame[0].length)) as Omit<Evidence, "at">), at: Number(frame[1]) };
}

/** The flat reply of HGETALL, values only. */
export function hashValues(flat: readonly string[]): string[] {
  return flat.filter((_, i) => i % 2 === 1);
}

/** Four fields a ticket, as the scripts answer them. */
export interface Ticket {
  readonly run: string;
  /** Decimal; compared as text, never as a number. */
  readonly number: string;
  readonly queue: string;
  readonly agent: string;
}

export function decodeTickets(flat: readonly unknown[]): Ticket[] {
  const tickets: Ticket[] = [];
  for (let i = 0; i + 3 < flat.length; i += 4) {
    const [run = "", number = "", queue = "", agent = ""] = flat.slice(i, i + 4).map(String);
    tickets.push({ run, number, queue, agent });
  }
  return tickets;
}
