/** A record of two runs of the agent `sender` in which all is well, written by hand: for planted lies to start from. */
import type { Decision, Entry, PlannedCall } from "../../src/core/journal.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { argsOf, lastWords, ROWS } from "./agents.ts";
import type { Executed, FinalRun, Recorded } from "./recorded.ts";
import { TOOL_EFFECTS } from "./tools.ts";

const WORKER = "w:1";
const WINDOW_MS = 7_000;

export function soundRecord(): Recorded {
  const runs = [completedRun("run-1", "k1", "ada", 1_000), completedRun("run-2", "k2", "ada", 20_000)];
  return {
    enqueues: runs.map(({ id }, i) => ({
      key: `k${i + 1}`,
      agent: "sender",
      identifier: "ada",
      ids: [id],
      ackedAt: i === 0 ? 1_000 : 20_000,
      cancelAsked: false,
    })),
    runs,
    ledger: runs.flatMap(({ id }, i) => executions(id, `k${i + 1}`)),
    snapshots: runs.map(({ id, decisions, evidence }) => ({
      id,
      decisions: decisions.slice(0, 6),
      evidence: evidence.slice(0, 1),
    })),
    results: [{ id: "run-1", status: "completed", output: lastWords("k1", ["ok", "ok", "ok"]) }],
    losses: [],
    leftovers: [],
    cap: 1,
    app: "app:1",
  };
}

const TURNS = ROWS.find(({ name }) => name === "sender")?.turns ?? [];

function executions(run: string, key: string): Executed[] {
  return TURNS.flatMap((tools, turn) =>
    tools.map((tool, i) => {
      const call = `t${turn}c${i}`;
      return { run, call, tool, identifier: "ada", args: argsOf(key, call), at: 0 };
    }),
  );
}

/** One entry each 10 ms; the evidence of a call comes in between. */
function completedRun(id: string, key: string, identifier: string, start: number): FinalRun {
  const decisions: Decision[] = [];
  const evidence: Evidence[] = [];
  const write = (entry: Entry): void =>
    void decisions.push({ ...entry, at: start + 10 * decisions.length, epoch: decisions.length === 0 ? 0 : 1 });
  write({ kind: "created", agent: "sender", identifier, input: { key } });
  write({ kind: "leased", worker: WORKER });
  write({ kind: "prepared", accounts: {} });
  for (const [turn, tools] of [...TURNS, []].entries()) {
    const before = (TURNS[turn - 1] ?? []).map((_, i) => `t${turn - 1}c${i}`);
    const shown = before.map((call) => ({ call, evidence: `${id} ${call}` }));
    write({ kind: "turn-requested", turn, attempt: 1, final: false, shown });
    const plan = tools.map((tool, i) => plannedCall(key, `t${turn}c${i}`, tool));
    write(turnCommitted(turn, plan));
    for (const { id: call, name: tool } of plan) {
      const intent = `${id} ${call}`;
      write({ kind: "call-claimed", call, attempt: 1, intent, tool, argsHash: call, windowMs: WINDOW_MS });
      const at = start + 10 * decisions.length - 5;
      evidence.push({ nonce: intent, call, tool, argsHash: call, outcome: { kind: "ok", data: {} }, tookMs: 5, at });
    }
  }
  write({ kind: "ended", status: "completed", output: lastWords(key, ["ok", "ok", "ok"]) });
  return { id, status: "completed", decisions, evidence };
}

function plannedCall(key: string, id: string, name: string): PlannedCall {
  const effect = TOOL_EFFECTS.get(name) ?? "unsafe";
  return {
    id,
    name,
    providerId: id,
    verdict: "run",
    args: argsOf(key, id),
    argsHash: id,
    effect,
    connection: "torture",
  };
}

function turnCommitted(turn: number, plan: readonly PlannedCall[]): Entry {
  return {
    kind: "turn-committed",
    turn,
    verbatim: {},
    text: "",
    finish: "stop",
    plan,
    leadsTo: plan.length === 0 ? "finish" : "act",
    usage: NO_USAGE,
    servedModel: "",
    requestId: "",
    tookMs: 1,
  };
}
