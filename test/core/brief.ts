/** The next step of a journal, in one line to compare. */
import type { Entry } from "../../src/core/journal.ts";
import { next, type Step } from "../../src/core/next.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import * as b from "./build.ts";

export type Given = readonly (Entry & { readonly at?: number })[];
export const NOW = 50_000;

export function step(entries: Given, evidence: readonly Evidence[] = [], cancelled = false): Step {
  return next(b.run(entries, evidence), { now: NOW, cancelled });
}

/** `think` by its parts, `call` by the ids of its calls, and so on: one line to compare. */
export function brief(entries: Given, evidence: readonly Evidence[] = [], cancelled = false): string {
  const made = step(entries, evidence, cancelled);
  switch (made.do) {
    case "prepare":
      return "prepare";
    case "think":
      return `think t${made.turn} attempt ${made.attempt}${made.final ? ` final${made.because === "turns" ? "" : ` (${made.because})`}` : ""} shown ${made.shown.map((s) => ("evidence" in s ? s.evidence : `${s.call} ${s.as}`)).join(", ") || "-"}`;
    case "wait-limit":
      return `wait-limit ${made.limit} until ${made.until}`;
    case "call":
      return `call ${made.calls.map(({ call, attempt }) => `${call.id}#${attempt}`).join(" ")}`;
    case "settle":
      return `settle ${made.call} until ${made.until}`;
    case "retry":
      return `retry ${made.call} ${made.standing.why}`;
    case "plan-look":
      return `plan-look ${made.call.id} of ${made.intent}`;
    case "conclude":
      return `conclude ${made.intent} from ${made.evidence?.nonce ?? "nothing"}`;
    case "record":
      return `record ${made.intent}`;
    case "ask":
      return `ask ${made.intent} since ${made.since}`;
    case "ask-approval":
      return `ask-approval ${made.calls.map(({ id }) => id).join(" ")}`;
    case "await-approval":
      return `await-approval ${made.call.id} ${made.id} until ${made.until}`;
    case "end":
      return `end ${made.end.status} ${made.end.code ?? "-"}`;
  }
}
