/** What a run has used of its limits: tokens, money and the time of workers, folded from its journal. Pure. */
import type { Amount, Compacted, Decision } from "./journal.ts";
import type { Usage } from "./messages.ts";

/**
 * Tokens and money. Before each model call the most that it may use is kept aside, in the same commit that announces it. A call whose
 * worker died may have been made and billed, so all of that counts as spent once the next call is announced: never too little is counted.
 */
export interface Spending {
  readonly spent: Amount;
  /** Kept aside for a call of which nothing is known yet. */
  readonly reserved?: Amount;
  /** It is that of a summary. */
  readonly summing?: true;
}

export const NO_SPENDING: Spending = { spent: { tokens: 0 } };

export function addAmounts(a: Amount, b: Amount): Amount {
  const costUsd = a.costUsd === undefined && b.costUsd === undefined ? undefined : (a.costUsd ?? 0) + (b.costUsd ?? 0);
  return { tokens: a.tokens + b.tokens, ...(costUsd !== undefined && { costUsd }) };
}

/** With what is kept aside: what a limit is compared with. */
export function usedBy({ spent, reserved }: Spending): Amount {
  return reserved === undefined ? spent : addAmounts(spent, reserved);
}

export function spend(spending: Spending, decision: Decision): Spending {
  switch (decision.kind) {
    case "turn-requested": {
      const spent = usedBy(spending);
      return decision.reserve === undefined ? { spent } : { spent, reserved: decision.reserve };
    }
    case "turn-committed":
      return { spent: addAmounts(spending.spent, amountOf(decision.usage, decision.costUsd, spending.reserved)) };
    case "summary-requested": {
      const spent = usedBy(spending);
      return { spent, summing: true, ...(decision.reserve !== undefined && { reserved: decision.reserve }) };
    }
    case "compacted":
      return compacted(spending, decision);
    case "turn-failed":
    case "parked":
    case "ended":
      return { spent: decision.spent === undefined ? usedBy(spending) : addAmounts(spending.spent, decision.spent) };
    default:
      return spending;
  }
}

/** What was refused as too long was not worked on. A summary was bought; one that was lost may have been. */
function compacted({ spent, reserved, summing }: Spending, { by, because, spent: vain }: Compacted): Spending {
  const bought = by === undefined ? vain : amountOf(by.usage, by.costUsd, summing && reserved);
  if (summing === true) return { spent: addAmounts(spent, bought ?? reserved ?? NO_SPENDING.spent) };
  const sum = bought === undefined ? spent : addAmounts(spent, bought);
  return reserved === undefined || because === "refused" ? { spent: sum } : { spent: sum, reserved };
}

/** @param reserved counts instead when the provider tells no usage: nobody works for nothing */
export function amountOf(usage: Usage, costUsd: number | undefined, reserved?: Amount): Amount {
  const tokens = usage.input + usage.output;
  const cost = costUsd ?? (tokens === 0 ? reserved?.costUsd : undefined);
  return { tokens: tokens === 0 ? (reserved?.tokens ?? 0) : tokens, ...(cost !== undefined && { costUsd: cost }) };
}

/** ms that workers spent on a run. Of one that died, until the last thing it wrote. */
export interface Activity {
  readonly ms: number;
  /** Redis ms since when a worker has the run. */
  readonly since?: number;
  /** Of the last decision. */
  readonly last: number;
}

export const NO_ACTIVITY: Activity = { ms: 0, last: 0 };

export function act({ ms, since, last }: Activity, { kind, at }: Decision): Activity {
  switch (kind) {
    case "leased":
      return { ms: ms + (since === undefined ? 0 : Math.max(0, last - since)), since: at, last: at };
    case "parked":
    case "yielded":
    case "ended":
    case "limits-raised":
      return { ms: ms + (since === undefined ? 0 : Math.max(0, at - since)), last: at };
    default:
      return { ms, last: at, ...(since !== undefined && { since }) };
  }
}

export function activeMs({ ms, since }: Activity, now: number): number {
  return ms + (since === undefined ? 0 : Math.max(0, now - since));
}
