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
  /** ms of CPU, medians: journal → state; state → request, with nothing in memory; again, as at the next turn; whether it fits. */
  readonly fold: number;
  readonly first: number;
  readonly again: number;
  readonly measured: number;
  /** ms of CPU, medians: request → body. */
  readonly chat: number;
  readonly responses: number;
  readonly messages: number;
  /** ms of the clock, the shortest, for `first`: on a machine with other work it says more of that work. */
  readonly firstWall: number;
}

type Name = Exclude<keyof ProjectionFigures, "turns" | "bytes" | "firstWall">;

/** Short things are done so many times in one measure. */
const TIMES: Readonly<Record<Name, number>> = {
  fold: 1,
  first: 1,
  again: 10,
  measured: 10,
  chat: 10,
  responses: 10,
  messages: 10,
};

interface Sample {
  readonly journal: Journal;
  readonly text: string;
  readonly turns: number;
  readonly took: Record<Name, number[]>;
  readonly wall: number[];
}

/** Of several sizes, in turns, so that whatever else the machine does meets all of them alike. @param sizes turns and bytes */
export function measureProjections(
  sizes: readonly (readonly [turns: number, bytes: number])[],
  rounds: number,
): ProjectionFigures[] {
  const samples = sizes.map(([turns, bytes]): Sample => {
    const journal = journalOf(turns, bytes);
    const took = { fold: [], first: [], again: [], measured: [], chat: [], responses: [], messages: [] };
    return { journal, text: JSON.stringify([journal.decisions, journal.evidence]), turns, took, wall: [] };
  });
  // The first rounds are the compiler's.
  for (let round = -3; round < rounds; round++) for (const sample of samples) measure(sample, round >= 0);
  return samples.map(({ journal, turns, took, wall }) => ({
    turns,
    bytes: journal.bytes,
    fold: median(took.fold),
    first: median(took.first),
    again: median(took.again),
    measured: median(took.measured),
    chat: median(took.chat),
    responses: median(took.responses),
    messages: median(took.messages),
    firstWall: rounded(Math.min(...wall)),
  }));
}

function measure({ journal, text, took, wall }: Sample, counts: boolean): void {
  const take = <T>(name: Name, work: () => T): T => {
    const times = TIMES[name];
    const started = performance.now();
    const before = process.cpuUsage();
    for (let i = 1; i < times; i++) work();
    const made = work();
    const { user, system } = process.cpuUsage(before);
    if (counts) took[name].push((user + system) / 1_000 / times);
    if (counts && name === "first") wall.push(performance.now() - started);
    return made;
  };
  const [decisions, evidence] = JSON.parse(text) as [Decision[], Evidence[]];
  const state: RunState = take("fold", () => foldRun("r", decisions, evidence));
  const request = take("first", () => project(state, CONTEXT, journal.shown, false));
  take("again", () => project(state, CONTEXT, journal.shown, false));
  take("measured", () => requestTokens(request, mostTokens));
  take("chat", () => chatRequest(request, { apiKey: "k" }));
  take("responses", () => responsesRequest(request, { apiKey: "k", protocol: "responses" }));
  take("messages", () => messagesRequest(request, { apiKey: "k", protocol: "messages" }));
}

function median(values: readonly number[]): number {
  return rounded(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
