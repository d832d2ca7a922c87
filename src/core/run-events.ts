/** A run's history as events, for people and programs that watch it. */
import type { ApprovalPolicy } from "./needs-approval.ts";
import type { Effect } from "./effects.ts";
import type { Compacted, Decision, Parked, PlannedCall } from "./journal.ts";
import type { ModelName, Trouble, Usage } from "./messages.ts";
import type { Limits } from "./limits.ts";
import type { Answer, Approval, Outcome } from "./outcome.ts";
import type { FailureCode, Need, ParkReason } from "./run.ts";

/** Of a parked run: why, for whom, until when. */
export interface ParkedView {
  readonly reason: ParkReason;
  readonly needs: readonly Need[];
  readonly until?: number;
  readonly message?: string;
}

interface EventBase {
  readonly run: string;
  /** Redis ms. */
  readonly at: number;
}

/** A call as a turn asked for it. */
export interface EventCall {
  readonly id: string;
  readonly name: string;
  readonly made: boolean;
  /** Of a call that was made. */
  readonly effect?: Effect;
}

/** What happened to a run, in the order in which it was written down. Carries no tool results, no mail and no links. */
export type RunEvent = EventBase &
  (
    | { readonly type: "run.queued"; readonly agent: string; readonly identifier: string }
    | { readonly type: "run.started"; readonly worker: string }
    | { readonly type: "run.prepared"; readonly tools: readonly string[] }
    | {
        readonly type: "turn.requested";
        readonly turn: number;
        readonly attempt: number;
        readonly final: boolean;
        /** The answer in the background that was waited for before, and that the provider does not know any more. */
        readonly lost?: string;
      }
    /** The provider works on it in the background: `answer` is its id there. Whoever has the run fetches it. */
    | { readonly type: "turn.accepted"; readonly turn: number; readonly attempt: number; readonly answer: string }
    | {
        readonly type: "turn.committed";
        readonly turn: number;
        readonly calls: readonly EventCall[];
        readonly usage: Usage;
        readonly costUsd?: number;
        readonly servedModel: string;
        readonly requestId: string;
        readonly tookMs: number;
        /** Asked for behind what the provider keeps (`previous_response_id`); `rebuilt`: it had that no more, and got all of it again. */
        readonly history?: "kept" | "rebuilt";
      }
    /**
     * A piece of an answer under way, for those who ask for it: a hint that may be lost, and that no journal holds. What counts is the
     * turn's commit; after another attempt the text begins anew.
     */
    | { readonly type: "turn.text"; readonly turn: number; readonly attempt: number; readonly text: string }
    /** This model did not answer, and another one is asked at once. */
    | {
        readonly type: "turn.failed";
        readonly turn: number;
        readonly asked: ModelName;
        readonly why: Trouble;
        readonly message: string;
      }
    /** The transcript was too long for the model: from here on it is shown less of it. */
    | {
        readonly type: "run.compacted";
        readonly turn: number;
        readonly because: Compacted["because"];
        readonly how: readonly ("hide" | "shorten" | "summary")[];
        /** Tokens, estimated. */
        readonly from: number;
        readonly to: number;
      }
    | { readonly type: "tool.called"; readonly call: string; readonly tool: string; readonly attempt: number }
    | {
        readonly type: "tool.settled";
        readonly call: string;
        readonly tool: string;
        readonly outcome: Outcome["kind"];
        /** A word for the outcome: the type of an error, why it was not executed. */
        readonly why?: string;
        /** Of a result, in characters of JSON. */
        readonly size?: number;
        readonly tookMs: number;
      }
    | {
        readonly type: "run.parked";
        readonly reason: ParkReason;
        readonly needs: readonly Need[];
        readonly until?: number;
        readonly message?: string;
      }
    /** Nobody can know whether the call was executed. It stands on the list of unknown outcomes from now on. */
    | { readonly type: "tool.unknown"; readonly call: string; readonly tool: string }
    /** What a person says of a call whose outcome nobody knew. */
    | { readonly type: "tool.answered"; readonly call: string; readonly says: Answer["says"]; readonly by?: string }
    /** People are asked whether the call may be made; denied at `until`. */
    | {
        readonly type: "approval.asked";
        readonly call: string;
        readonly tool: string;
        /** `<run>/<…>`: what it is decided by. */
        readonly id: string;
        readonly policy: ApprovalPolicy;
        readonly until: number;
      }
    | {
        readonly type: "approval.decided";
        readonly call: string;
        readonly tool: string;
        readonly decision: Approval["kind"];
        readonly by?: string;
        /** Nobody decided: its time was over. */
        readonly lapsed?: true;
        /** With other arguments than those that were asked for. */
        readonly edited: boolean;
      }
    /** What a look says of a call that has no result. */
    | {
        readonly type: "tool.verified";
        readonly call: string;
        readonly says: "happened" | "not-executed" | "unsure";
        readonly message?: string;
      }
    /** An operator has given it more. */
    | { readonly type: "run.raised"; readonly limits: Partial<Limits>; readonly by?: string }
    | { readonly type: "run.yielded" }
    | { readonly type: "run.completed"; readonly truncated: boolean }
    | {
        readonly type: "run.failed" | "run.cancelled" | "run.expired";
        readonly code?: FailureCode;
        readonly message?: string;
      }
  );

/** Nothing for a decision that says no more than the event that follows it. */
export function eventOf(run: string, d: Decision): RunEvent | undefined {
  const base = { run, at: d.at };
  switch (d.kind) {
    case "created":
      return { ...base, type: "run.queued", agent: d.agent, identifier: d.identifier };
    case "covers":
    case "summary-requested":
      return undefined;
    case "leased":
      return { ...base, type: "run.started", worker: d.worker };
    case "prepared":
      return { ...base, type: "run.prepared", tools: (d.context?.tools ?? []).map((t) => t.name) };
    case "turn-requested":
      return {
        ...base,
        type: "turn.requested",
        turn: d.turn,
        attempt: d.attempt,
        final: d.final,
        ...(d.lost !== undefined && { lost: d.lost }),
      };
    case "turn-accepted":
      return { ...base, type: "turn.accepted", turn: d.turn, attempt: d.attempt, answer: d.answer };
    case "turn-committed": {
      const calls = d.plan.map(eventCall);
      return {
        ...base,
        type: "turn.committed",
        turn: d.turn,
        calls,
        usage: d.usage,
        ...(d.costUsd !== undefined && { costUsd: d.costUsd }),
        servedModel: d.servedModel,
        requestId: d.requestId,
        tookMs: d.tookMs,
        ...(d.history !== undefined && { history: d.history }),
      };
    }
    case "turn-failed":
      return { ...base, type: "turn.failed", turn: d.turn, asked: d.asked, why: d.why, message: d.message };
    case "compacted": {
      const how = (["hide", "shorten", "summary"] as const).filter((way) => d[way] !== undefined);
      // Only that it was refused as too long: what is left out stands in the one that follows.
      if (how.length === 0) return undefined;
      return { ...base, type: "run.compacted", turn: d.turn, because: d.because, how, from: d.from, to: d.to };
    }
    case "call-claimed":
      return { ...base, type: "tool.called", call: d.call, tool: d.tool, attempt: d.attempt };
    case "unknown":
      return { ...base, type: "tool.unknown", call: d.call, tool: d.tool };
    case "approval-asked": {
      const { call, tool, policy, until } = d;
      return { ...base, type: "approval.asked", call, tool, id: `${run}/${d.id}`, policy, until };
    }
    case "look-planned":
    case "sub-planned":
    case "budget-met":
      return undefined;
    case "looked": {
      const message = d.message === undefined ? {} : { message: d.message };
      return { ...base, type: "tool.verified", call: d.call, says: d.says, ...message };
    }
    case "parked":
      return { ...base, type: "run.parked", ...parkedView(d) };
    case "limits-raised":
      return { ...base, type: "run.raised", limits: d.limits, ...(d.by !== undefined && { by: d.by }) };
    case "yielded":
      return { ...base, type: "run.yielded" };
    case "ended":
      if (d.status === "completed") return { ...base, type: "run.completed", truncated: d.truncated ?? false };
      return {
        ...base,
        type: `run.${d.status}`,
        ...(d.code !== undefined && { code: d.code }),
        ...(d.message !== undefined && { message: d.message }),
      };
  }
}

function eventCall(call: PlannedCall): EventCall {
  const { id, name } = call;
  return call.verdict === "run" ? { id, name, made: true, effect: call.effect } : { id, name, made: false };
}

export function parkedView(park: Pick<Parked, "reason" | "needs" | "until" | "message">): ParkedView {
  const { reason, needs = [], until, message } = park;
  return { reason, needs, ...(until !== undefined && { until }), ...(message !== undefined && { message }) };
}
