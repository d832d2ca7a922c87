/**
 * From a journal to a request: 50 turns and 1 MB, and four times as much, as it is done before each model call of a run. First with
 * nothing in memory, then again as the next turn does it; then the request's body, on each wire.
 */
import type { Decision, Entry, PlannedCall, Shown } from "../../src/core/journal.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { project } from "../../src/core/project.ts";
import type { RunContext } from "../../src/core/run.ts";
import { mostTokens, requestTokens } from "../../src/core/size.ts";
import { foldRun, type RunState } from "../../src/core/state.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { messagesRequest } from "../../src/models/messages-request.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";

const CONTEXT: RunContext = {
  instructions: "Sum up the mails.",
  prompt: "Go",
  profile: "openai",
  model: "m-1",
  limits: { ...DEFAULT_LIMITS, turns: 200, resultChars: 1_000_000, turnResultChars: 2_000_000 },
  tools: [],
  connections: [],
  expiresAfterMs: 1,
};

export interface Journal {
  readonly decisions: readonly Decision[];
  readonly evidence: readonly Evidence[];
  readonly shown: readonly Shown[];
  readonly bytes: number;
}

/** Two calls a turn; results of mails, as JSON. */
export function journalOf(turns: number, bytes: number): Journal {
  const each = Math.floor(bytes / turns / 2) - 700;
  const decisions: Decision[] = [];
  const evidence: Evidence[] = [];
  let shown: readonly Shown[] = [];
  let at = 0;
  const note = (entry: Entry): void => void decisions.push({ ...entry, at: (at += 10), epoch: 1 });
  note({ kind: "created", agent: "a", identifier: "u", input: {} });
  note({ kind: "leased", worker: "w" });
  note({ kind: "prepared", context: CONTEXT, accounts: {} });
  for (let turn = 0; turn < turns; turn++) {
    note({ kind: "turn-requested", turn, attempt: 1, final: false, shown });
    const plan = [0, 1].map((i): PlannedCall => {
      const id = `t${turn}c${i}`;
      return {
        id,
        name: "read",
        providerId: id,
        verdict: "run",
        args: { i },
        argsHash: id,
        effect: "read",
        connection: "",
      };
    });
    const calls = plan.map(({ id, name }) => ({ id, type: "function", function: { name, arguments: '{"i":1}' } }));
    note({
      kind: "turn-committed",
      turn,
      verbatim: { role: "assistant", content: null, tool_calls: calls },
      text: "",
      finish: "stop",
      plan,
      leadsTo: "act",
      usage: NO_USAGE,
      servedModel: "m-1",
      requestId: "r",
      tookMs: 1,
    });
    for (const { id } of plan) {
      note({ kind: "call-claimed", call: id, attempt: 1, intent: id, tool: "read", argsHash: id, windowMs: 1 });
      const mails = Array.from({ length: Math.ceil(each / 120) }, (_, i) => ({
        id: `19af${turn}${i}`,
        subject: `Invoice ${i} of turn ${turn}`,
        from: "anna@example.com",
        body: "Please pay soon.",
      }));
      const outcome = { kind: "ok", data: mails } as const;
      evidence.push({ nonce: id, call: id, tool: "read", argsHash: id, outcome, tookMs: 1, at: (at += 10) });
    }
    shown = plan.map(({ id }) => ({ call: id, evidence: id }));
  }
  const texts = [...decisions, ...evidence].map((entry) => JSON.stringify(entry).length);
  return { decisions, evidence, shown, bytes: texts.reduce((a, b) => a + b, 0) };
}

export interface ProjectionFigures {
  readonly turns: number;
  readonly bytes: number;
  /** ms, the shortest of all rounds: journal → state; state → request, with nothing in memory; again, as at the next turn; whether it fits. */
  readonly fold: number;
  readonly first: number;
  readonly again: number;
  readonly measured: number;
  /** ms: request → body. */
  readonly chat: number;
  readonly responses: number;
  readonly messages: number;
}

export function measureProjection(turns: number, bytes: number, rounds: number): ProjectionFigures {
  const journal = journalOf(turns, bytes);
  const text = JSON.stringify([journal.decisions, journal.evidence]);
  const times: Record<string, number[]> = {};
  const take = <T>(name: string, work: () => T): T => {
    const started = performance.now();
    const made = work();
    (times[name] ??= []).push(performance.now() - started);
    return made;
  };
  for (let i = 0; i < rounds; i++) {
    const [decisions, evidence] = JSON.parse(text) as [Decision[], Evidence[]];
    const state: RunState = take("fold", () => foldRun("r", decisions, evidence));
    const request = take("first", () => project(state, CONTEXT, journal.shown, false));
    take("again", () => project(state, CONTEXT, journal.shown, false));
    take("measured", () => requestTokens(request, mostTokens));
    take("chat", () => chatRequest(request, { apiKey: "k" }));
    take("responses", () => responsesRequest(request, { apiKey: "k", protocol: "responses" }));
    take("messages", () => messagesRequest(request, { apiKey: "k", protocol: "messages" }));
  }
  const of = (name: string): number => {
    // The shortest: whatever else the machine does makes it only longer.
    return Math.round(Math.min(...(times[name] ?? [])) * 1_000) / 1_000;
  };
  return {
    turns,
    bytes: journal.bytes,
    fold: of("fold"),
    first: of("first"),
    again: of("again"),
    measured: of("measured"),
    chat: of("chat"),
    responses: of("responses"),
    messages: of("messages"),
  };
}
