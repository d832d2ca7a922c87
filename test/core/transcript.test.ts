/** Judge, fold, next, project and the chat adapter together: whatever a model says and however its calls end, each call is answered once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Decision, Entry } from "../../src/core/journal.ts";
import { judge } from "../../src/core/judge.ts";
import { canonical, type Json, toJson } from "../../src/core/json.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import { next } from "../../src/core/next.ts";
import type { Evidence, Outcome } from "../../src/core/outcome.ts";
import { project } from "../../src/core/project.ts";
import { foldRun } from "../../src/core/state.ts";
import { chatAnswer } from "../../src/models/chat-answer.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { checkChatRequest } from "../../src/testing/model/index.ts";
import * as b from "./build.ts";

const CONTEXT = b.context({ turns: 4, callsPerTurn: 3, toolCalls: 8, attempts: 2 });

const name = fc.constantFrom(...b.TOOLS.map((tool) => tool.name), "tool_rea", "", "a.b c");
const args = fc.constantFrom("{}", '{"n":1}', '{"n', "", "[]");
const id = fc.constantFrom("call_1", "call_1", "", "tool:0");
const call = fc.record({
  id,
  type: fc.constantFrom("function", "function", "custom"),
  function: fc.record({ name, arguments: args }),
  custom: fc.record({ name, input: args }),
});
const message = fc.record({
  role: fc.constant("assistant"),
  content: fc.constantFrom<unknown>(null, "", "Let me see", [{ type: "text", text: "Hm" }], "{}"),
  tool_calls: fc.oneof(
    { weight: 3, arbitrary: fc.array(call, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
});
const turn = fc.record({
  message,
  finish: fc.constantFrom("stop", "tool_calls", "length", "other"),
  repairs: fc.boolean(),
});
const outcome = fc.constantFrom<Outcome | undefined>(
  b.OK,
  b.ERROR,
  b.UNKNOWN,
  b.refused("rate-limit"),
  b.refused("account"),
  b.refused("credentials"),
  undefined,
);

/** Plays a run without a store: each step is done at once, with these outcomes of the first calls that are sent; the rest is fine. */
function play(
  turns: readonly { message: Json; finish: string; repairs: boolean }[],
  outcomes: readonly (Outcome | undefined)[],
): { steps: string[]; toolMessages: number } {
  const journal: Decision[] = [];
  const evidence: Evidence[] = [];
  const steps: string[] = [];
  let now = 0;
  let sent = 0;
  let asked = 0;
  let toolMessages = 0;
  let seen: readonly unknown[] = [];
  const note = (...entries: readonly Entry[]): void => {
    for (const entry of entries) journal.push({ ...entry, at: (now += 1_000), epoch: 1 });
  };
  note(b.CREATED, b.LEASED, { kind: "prepared", context: CONTEXT, accounts: {} });
  for (let i = 0; i < 200; i++) {
    const state = foldRun("r1", journal, evidence);
    const step = next(state, { now, cancelled: false });
    steps.push(step.do);
    switch (step.do) {
      case "end":
        return { steps, toolMessages };
      case "prepare":
        note(b.parked("account"), b.LEASED, b.AGAIN);
        break;
      case "settle":
        now = Math.max(now, step.until);
        note(b.parked("settling", step.call), b.LEASED);
        break;
      case "retry":
        note(b.parked("retry", step.call), b.LEASED);
        break;
      case "plan-look":
        note({ kind: "looked", call: step.call.id, intent: step.intent, says: "unsure" });
        break;
      case "ask":
      case "ask-approval":
      case "await-approval":
      case "conclude":
      case "wait-limit":
        assert.fail(`nobody was to ${step.do}`);
        break;
      case "record":
        note({
          kind: "unknown",
          call: step.call.id,
          intent: step.intent,
          tool: step.call.name,
          argsHash: step.call.argsHash,
        });
        break;
      case "call":
        for (const { call: one, attempt } of step.calls) {
          note(b.claim(one, attempt, 5_000));
          const happened = sent < outcomes.length ? outcomes[sent] : b.OK;
          sent++;
          if (happened !== undefined) evidence.push(b.evidence(one, attempt, happened, (now += 10)));
        }
        break;
      case "think": {
        const request = project(state, CONTEXT, step.shown, step.final);
        toolMessages += checkAnswered(request.messages);
        assert.deepEqual(
          request.messages.slice(0, seen.length),
          seen,
          "what a model has seen stays, and what is cached of it",
        );
        const body: unknown = JSON.parse(JSON.stringify(chatRequest(request, { apiKey: "k" })));
        assert.deepEqual(checkChatRequest(body), [], JSON.stringify(body));
        note({ kind: "turn-requested", turn: step.turn, attempt: step.attempt, final: step.final, shown: step.shown });
        const said = turns[asked++ % Math.max(1, turns.length)] ?? {
          message: { content: "Done" },
          finish: "stop",
          repairs: false,
        };
        const answer = chatAnswer(
          { choices: [{ message: said.message, finish_reason: said.finish }] },
          { model: "m-1", tookMs: 1 },
        );
        assert.ok(answer.kind === "answer", answer.kind);
        const callsMade = state.turns.flatMap((t) => t.plan).filter((c) => c.verdict === "run").length;
        const judgement = judge(answer, {
          turn: step.turn,
          final: step.final,
          context: CONTEXT,
          callsMade,
          repairs: state.turns.filter((t) => t.leadsTo === "again").length,
          check: () => [],
          hash: (text) => text,
          withKey: (_tool, args) => args,
          ...(said.repairs && { output: { ok: false, issues: ["wrong"] } as const }),
        });
        if (judgement.leadsTo === "discard") {
          if (step.attempt >= 3) return { steps, toolMessages };
          note(b.parked("retry", `t${step.turn}`), b.LEASED);
          break;
        }
        note({
          ...b.turn(step.turn, []),
          verbatim: answer.verbatim,
          text: answer.text,
          finish: answer.finish,
          usage: NO_USAGE,
          ...judgement,
        });
        seen = request.messages;
      }
    }
  }
  assert.fail(`no end after 200 steps: ${steps.join(" ")}`);
}

/** Each call of each assistant message has exactly one answer, in order, right behind it. Answers how many there are. */
function checkAnswered(messages: ReturnType<typeof project>["messages"]): number {
  const expected = messages.flatMap((m) => (m.role === "assistant" ? m.callIds : []));
  const given = messages.flatMap((m) => (m.role === "tool" ? [m.callId] : []));
  assert.deepEqual(given, expected);
  for (const [i, m] of messages.entries())
    if (m.role === "assistant")
      assert.deepEqual(
        messages
          .slice(i + 1, i + 1 + m.callIds.length)
          .map((answer) => (answer.role === "tool" ? answer.callId : answer.role)),
        m.callIds,
      );
  return given.length;
}

test("for any model and any outcome: valid transcripts, each call answered once, an end", () => {
  let answers = 0;
  let ends = 0;
  fc.assert(
    fc.property(
      fc.array(turn, { minLength: 1, maxLength: 4 }),
      fc.array(outcome, { maxLength: 6 }),
      (turns, outcomes) => {
        const given = turns.map((one) => ({ ...one, message: toJson(one.message) }));
        const { steps, toolMessages } = play(given, outcomes);
        answers += toolMessages;
        if (steps.at(-1) === "end") ends++;
        assert.ok(steps.filter((step) => step === "think").length <= (4 + 2) * 3, steps.join(" "));
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(answers > 200 && ends > 50, `only ${answers} answers and ${ends} ends`);
});

test("the same journal gives the same step and the same request, after a round through JSON", () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 3 }), (outcomes) => {
      const plan = outcomes.map((_, i) => b.call(`t0c${i}`, "read", { n: i }));
      const entries: readonly Entry[] = [...b.READY, b.turn(0, plan), ...plan.map((one) => b.claim(one))];
      const seen = plan.flatMap((one, i) => {
        const happened = outcomes[i];
        return happened === undefined ? [] : [b.evidence(one, 1, happened, 40_000)];
      });
      const state = b.run(entries, seen);
      const stored = b.run(
        JSON.parse(JSON.stringify(entries)) as Entry[],
        JSON.parse(JSON.stringify(seen)) as Evidence[],
      );
      assert.deepEqual(next(stored, { now: 50_000, cancelled: false }), next(state, { now: 50_000, cancelled: false }));
      assert.equal(
        canonical(project(stored, b.context(), [], false)),
        canonical(project(state, b.context(), [], false)),
      );
    }),
  );
});
