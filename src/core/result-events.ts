/** What came of calls, and what people said of them, as events; and where they stand among the decisions. */
import { type Evidence, isOutcome, type Outcome } from "./outcome.ts";
import type { RunEvent } from "./run-events.ts";

export function settledEvent(run: string, { at, call, tool, outcome, tookMs }: Evidence): RunEvent {
  if (outcome.kind === "answered") {
    const by = outcome.by === undefined ? {} : { by: outcome.by };
    return { run, at, type: "tool.answered", call, says: outcome.says, ...by };
  }
  if (!isOutcome(outcome)) {
    const by = outcome.by === undefined ? {} : { by: outcome.by };
    const edited = outcome.args !== undefined;
    const lapsed = outcome.lapsed === true ? ({ lapsed: true } as const) : {};
    return { run, at, type: "approval.decided", call, tool, decision: outcome.kind, ...by, ...lapsed, edited };
  }
  return { run, at, type: "tool.settled", call, tool, outcome: outcome.kind, ...outcomeView(outcome), tookMs };
}

/**
 * By time. Decisions keep their order. A result of the same millisecond as decisions stands behind the last of them that it follows from
 * (its call, what asked for a person's word, the park that made it known), else before them; results of one millisecond stand in the
 * order of their calls.
 */
export function inOrder(decisions: readonly RunEvent[], results: readonly RunEvent[]): RunEvent[] {
  const before = new Map<number, RunEvent[]>();
  for (const result of results.toSorted((a, b) => a.at - b.at || byCall(a, b))) {
    const place = placeOf(result, decisions);
    before.set(place, [...(before.get(place) ?? []), result]);
  }
  const at = (place: number): readonly RunEvent[] => before.get(place) ?? [];
  return [...decisions.flatMap((decision, i) => [...at(i), decision]), ...at(decisions.length)];
}

function placeOf(result: RunEvent, decisions: readonly RunEvent[]): number {
  const later = decisions.findIndex(({ at }) => at > result.at);
  const end = later < 0 ? decisions.length : later;
  const same = decisions.findIndex(({ at }, i) => i < end && at === result.at);
  if (same < 0) return end;
  const cause = decisions.findLastIndex((decision, i) => i >= same && i < end && isCause(decision, result));
  return cause < 0 ? same : cause + 1;
}

function isCause(decision: RunEvent, result: RunEvent): boolean {
  const call = callOf(result);
  switch (decision.type) {
    case "turn.committed":
      return decision.calls.some(({ id }) => id === call);
    case "tool.called":
      return decision.call === call;
    case "approval.asked":
      return decision.call === call && result.type === "approval.decided";
    case "tool.unknown":
      return decision.call === call && result.type === "tool.answered";
    case "run.parked":
      return result.type !== "tool.settled";
    default:
      return false;
  }
}

function callOf(event: RunEvent): string {
  return "call" in event ? event.call : "";
}

function byCall(a: RunEvent, b: RunEvent): number {
  const [one, other] = [callOf(a), callOf(b)];
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}

function outcomeView(outcome: Outcome): { readonly why?: string; readonly size?: number } {
  switch (outcome.kind) {
    case "ok":
      return { size: outcome.blob?.characters ?? JSON.stringify(outcome.data).length };
    case "error":
      return { why: outcome.type };
    case "not-executed":
      return { why: outcome.why };
    case "unknown":
      return {};
  }
}
