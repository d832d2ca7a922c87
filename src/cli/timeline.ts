/** A run's events as lines for people: each line is said as soon as it is complete, so that a run can be followed. Pure. */
import type { Need, RunEvent } from "../index.ts";
import { count, dollars, duration, oneLine, tokens } from "./units.ts";

export interface TimelineLine {
  /** Redis ms. */
  readonly at: number;
  readonly text: string;
  readonly tone: "plain" | "good" | "bad" | "wait" | "dim";
}

export interface Timeline {
  /** The lines that this event completes. */
  add(event: RunEvent): readonly TimelineLine[];
  /** What is under way after the last event so far. */
  underWay(): readonly TimelineLine[];
}

type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

interface Sent {
  readonly tool: string;
  readonly attempt: number;
  readonly at: number;
}

export function createTimeline(identifier: string): Timeline {
  /** Who has the run, and since when it is parked. */
  let holder: "nobody" | "worker" | "parked" | "handed-back" = "nobody";
  let parkedAt = 0;
  let prepared = false;
  let asked: Of<"turn.requested"> | undefined;
  const sent = new Map<string, Sent>();
  const effects = new Map<string, string>();

  const line = (at: number, text: string, tone: TimelineLine["tone"] = "plain"): TimelineLine => ({ at, text, tone });

  const started = ({ at, worker }: Of<"run.started">): TimelineLine[] => {
    const before = holder;
    holder = "worker";
    switch (before) {
      case "nobody":
        return [line(at, `taken by ${worker}`)];
      case "parked":
        return [line(at, `taken by ${worker} after ${duration(at - parkedAt)}`)];
      case "handed-back":
        return [line(at, `taken over by ${worker}`)];
      case "worker":
        return [line(at, `taken over by ${worker}: the worker before was lost`, "bad")];
    }
  };

  const preparedLine = ({ at, tools }: Of<"run.prepared">): TimelineLine[] => {
    const again = prepared;
    prepared = true;
    if (again) return [line(at, "accounts ACTIVE again")];
    return [line(at, tools.length === 0 ? "prepared, without tools" : `prepared, with ${tools.join(", ")}`)];
  };

  /** The next turn shows the calls before it as they stand: what has no outcome then is unknown to the model. */
  const unknown = (): TimelineLine[] => {
    if (asked === undefined) return [];
    const { at } = asked;
    const lines = [...sent.values()].map((call) => line(at, `${callText(call)}: outcome unknown`, "bad"));
    sent.clear();
    return lines;
  };

  const committed = (event: Of<"turn.committed">): TimelineLine[] => {
    const notes = [asked?.final === true ? "the last one" : "", attemptText(asked?.attempt ?? 1)].filter(Boolean);
    asked = undefined;
    for (const { id, effect } of event.calls) if (effect !== undefined) effects.set(id, effect);
    const calls = event.calls.filter((call) => call.made).length;
    const led = event.calls.length === 0 ? "an answer" : count(calls, "tool call");
    const cost = event.costUsd === undefined ? [] : [dollars(event.costUsd)];
    const id = event.requestId === "" ? [] : [oneLine(event.requestId)];
    if (event.history !== undefined) notes.push(HISTORY[event.history]);
    const parts = [
      led,
      tokens(event.usage),
      ...cost,
      oneLine(event.servedModel),
      duration(event.tookMs),
      ...notes,
      ...id,
    ];
    const refused = event.calls.filter((call) => !call.made);
    return [
      line(event.at, `turn ${event.turn + 1}: ${parts.join(" · ")}`),
      ...refused.map((call) => line(event.at, `  ${oneLine(call.name)}: not made, the model was told why`, "bad")),
    ];
  };

  const called = ({ at, call, tool, attempt }: Of<"tool.called">): TimelineLine[] => {
    const lost = sent.get(call);
    sent.set(call, { tool, attempt, at });
    return lost === undefined ? [] : [line(at, `${callText(lost)}: no outcome was recorded`, "bad")];
  };

  const settled = ({ at, call, tool, outcome, why, size, tookMs }: Of<"tool.settled">): TimelineLine[] => {
    const known = sent.get(call);
    sent.delete(call);
    const late = known === undefined ? "late" : "";
    const name = callText(known ?? { tool, attempt: 1, at });
    const tone = outcome === "ok" ? "plain" : "bad";
    const what = why === undefined ? OUTCOMES[outcome] : `${OUTCOMES[outcome]} (${oneLine(why)})`;
    const result = size === undefined ? "" : count(size, "character");
    const parts = [what, effects.get(call), result, duration(tookMs), late].filter(Boolean);
    return [line(at, `${name}: ${parts.join(" · ")}`, tone)];
  };

  /** What its own worker could not tell has been said already. */
  const doubted = ({ at, call }: Of<"tool.unknown">): TimelineLine[] => {
    const lost = sent.get(call);
    sent.delete(call);
    return lost === undefined ? [] : [line(at, `${callText(lost)}: outcome unknown`, "bad")];
  };

  const told = (event: RunEvent): TimelineLine[] => {
    switch (event.type) {
      case "run.queued":
        return [line(event.at, "queued")];
      case "run.started":
        return started(event);
      case "run.prepared":
        return preparedLine(event);
      case "turn.requested":
        asked = event;
        return event.lost === undefined ? [] : [line(event.at, `turn ${event.turn + 1}: ${LOST}`, "bad")];
      case "turn.accepted":
        return [line(event.at, `turn ${event.turn + 1}: the provider works on it in the background`, "dim")];
      case "turn.committed":
        return committed(event);
      case "turn.text":
        return [];
      case "turn.failed":
        asked = undefined;
        return [line(event.at, failedText(event), "bad")];
      case "run.compacted":
        return [line(event.at, compactedText(event))];
      case "tool.called":
        return called(event);
      case "tool.settled":
        return settled(event);
      case "run.parked":
        [holder, parkedAt, asked] = ["parked", event.at, undefined];
        return [line(event.at, parkText(event, identifier), "wait")];
      case "tool.unknown":
        return doubted(event);
      case "tool.verified":
        return [line(event.at, verifiedText(event), event.says === "unsure" ? "bad" : "plain")];
      case "approval.asked":
        return [
          line(
            event.at,
            `${oneLine(event.tool)} (call ${event.call}): needs approval (${event.policy}), ${event.id}`,
            "wait",
          ),
        ];
      case "approval.decided":
        return [line(event.at, decidedText(event), event.decision === "approved" ? "good" : "bad")];
      case "tool.answered":
        return [line(event.at, answeredText(event), event.says === "stop" ? "bad" : "good")];
      case "run.raised":
        [holder, asked] = ["handed-back", undefined];
        return [line(event.at, raisedText(event), "good")];
      case "run.yielded":
        [holder, asked] = ["handed-back", undefined];
        return [line(event.at, "handed back by its worker")];
      case "run.completed":
        return [line(event.at, event.truncated ? "completed, truncated" : "completed", "good")];
      case "run.failed":
      case "run.cancelled":
      case "run.expired":
        return [line(event.at, endText(event), "bad")];
    }
  };

  return {
    // Outcomes of the same millisecond may come after the request that shows them.
    add: (event) => (event.type.startsWith("tool.") ? told(event) : [...unknown(), ...told(event)]),
    underWay: () => [
      ...unknown(),
      ...(asked === undefined ? [] : [line(asked.at, `turn ${asked.turn + 1}: asked, no answer yet`, "dim")]),
      ...[...sent.values()].map((call) => line(call.at, `${callText(call)}: sent, no outcome yet`, "dim")),
    ],
  };
}

function failedText({ turn, asked, why, message }: Of<"turn.failed">): string {
  const model = oneLine(`${asked.profile}/${asked.model}`);
  return `turn ${turn + 1}: ${model} did not answer (${why}: ${oneLine(message)}); another model is asked`;
}

function decidedText({ call, tool, decision, by, lapsed, edited }: Of<"approval.decided">): string {
  const who = lapsed === true ? ": nobody decided in time" : by === undefined ? "" : ` by ${oneLine(by)}`;
  return `${oneLine(tool)} (call ${call}): ${decision}${who}${edited ? ", with other arguments" : ""}`;
}

const LEFT_OUT = { hide: "old results hidden", shorten: "results shortened", summary: "old turns summed up" } as const;

function compactedText({ because, how, from, to }: Of<"run.compacted">): string {
  const why = because === "full" ? "too long for the model" : "refused as too long";
  return `transcript ${why}: ${how.map((way) => LEFT_OUT[way]).join(", ")} (about ${from} → ${to} tokens)`;
}

/** Why a run waits, for whom, and until when. */
export function parkText({ at, reason, needs, until, message }: Of<"run.parked">, identifier: string): string {
  const told = message === undefined ? "" : `: ${oneLine(message)}`;
  const moment = until === undefined ? "" : ` for ${duration(until - at)}`;
  switch (reason) {
    case "account":
      return `parked, waits for ${identifier}: ${needsText(needs)}`;
    case "retry":
      return `parked${moment} before another attempt${told}`;
    case "rate-limit":
      return `parked${moment}, until the model may be asked again${told}`;
    case "probe":
      return `parked${moment}: an ACTIVE account still refuses${told}`;
    case "settling":
      return `parked${moment}: a call of a lost worker may still be under way`;
    case "outage":
      return `parked${moment}, an outage${told}`;
    case "budget":
      return `parked${moment}, waits for the operator${told}`;
    case "review":
      return `parked${moment}, waits for a person's decision${told}`;
    case "paused":
      return `parked, stopped by an operator${told}`;
    case "approval":
      return `parked${moment}, waits for an approval`;
    case "newer-version":
      return "parked: a newer Errand wrote its journal; it waits for such a worker";
  }
}

export function needsText(needs: readonly Need[]): string {
  return needs.map(({ connection, reason }) => `${connection} (${reason})`).join(", ");
}

const LOST = "the provider has no more what was waited for; it is asked anew";

const HISTORY = {
  kept: "behind what the provider keeps",
  rebuilt: "the provider had lost what came before, and got it again",
} as const;

const SAID = {
  happened: "it was executed",
  "not-executed": "it was not executed",
  unsure: "nobody can tell",
  stop: "stop the run",
} as const;

function verifiedText({ call, says, message }: Of<"tool.verified">): string {
  return `  looked after call ${call}: ${SAID[says]}${message === undefined ? "" : ` (${oneLine(message)})`}`;
}

function answeredText({ call, says, by }: Of<"tool.answered">): string {
  return `  ${by === undefined ? "a person" : oneLine(by)} says of call ${call}: ${SAID[says]}`;
}

function raisedText({ limits, by }: Of<"run.raised">): string {
  const given = Object.entries(limits).map(([name, value]) => `${name} ${value}`);
  return `${by === undefined ? "an operator" : oneLine(by)} raised its limits: ${given.join(", ")}`;
}

const OUTCOMES = {
  ok: "ok",
  error: "error",
  "not-executed": "not executed",
  unknown: "outcome unknown",
} as const satisfies Record<Of<"tool.settled">["outcome"], string>;

function callText({ tool, attempt }: Sent): string {
  return ["  " + oneLine(tool), attemptText(attempt)].filter(Boolean).join(", ");
}

function attemptText(attempt: number): string {
  return attempt > 1 ? `attempt ${attempt}` : "";
}

function endText({ type, code, message }: Of<"run.failed" | "run.cancelled" | "run.expired">): string {
  const why = [code, message && oneLine(message)].filter(Boolean).join(": ");
  return `${type.slice("run.".length)}${why === "" ? "" : ` (${why})`}`;
}
