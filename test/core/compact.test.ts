/** The ladder: whatever a run has become, its prompt is valid and short enough, and changes only where a decision says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fit, type Fitting } from "../../src/core/compact.ts";
import type { Compacted, Decision, Entry, PlannedCall, Shown } from "../../src/core/journal.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Message } from "../../src/core/messages.ts";
import type { Evidence, Outcome } from "../../src/core/outcome.ts";
import { project } from "../../src/core/project.ts";
import { requestTokens } from "../../src/core/size.ts";
import { foldRun, type RunState } from "../../src/core/state.ts";
import { summaryRequest } from "../../src/core/summary.ts";
import { checkChatRequest, checkMessagesRequest, checkResponsesRequest } from "../../src/testing/model/index.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { messagesRequest } from "../../src/models/messages-request.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";
import * as b from "./build.ts";

const CONTEXT = b.context({ turns: 200 });
const ASKED = { profile: "openai", model: "m-1" };
const count = (text: string): number => Math.ceil(text.length / 4);

const ok = (chars: number): Outcome => ({ kind: "ok", data: "x".repeat(chars) });

interface Turn {
  readonly calls: readonly {
    readonly chars: number;
    readonly is: "ok" | "error" | "unknown" | "rejected" | "unsafe";
  }[];
  readonly text: string;
}

/** A run that is played without a store: before each request the ladder, as the loop climbs it. */
interface Player {
  readonly state: () => RunState;
  readonly compactions: () => readonly Compacted[];
  readonly overflowed: () => boolean;
  readonly request: () => ReturnType<typeof project>;
  /** Answers the request. */
  readonly answer: (turn: Turn) => void;
}

function play(room: Fitting["room"], canSummarise = true): Player {
  const journal: Decision[] = [];
  const evidence: Evidence[] = [];
  let shown: readonly Shown[] = [];
  let now = 0;
  let overflowed = false;
  const note = (...entries: readonly Entry[]): void => {
    for (const entry of entries) journal.push({ ...entry, at: (now += 1_000), epoch: 1 });
  };
  note(b.CREATED, b.LEASED, { kind: "prepared", context: CONTEXT, accounts: {} });
  const state = (): RunState => foldRun("r1", journal, evidence);
  const sizeOf = (of: RunState): number => requestTokens(project(of, CONTEXT, shown, false, ASKED), count);
  const turnOf = (): number => state().turns.length;
  return {
    state,
    compactions: () => state().compactions,
    overflowed: () => overflowed,
    request() {
      const plan = fit(state(), { turn: turnOf(), because: "full", asked: ASKED, room, sizeOf, canSummarise });
      if (plan.do === "compact") note(plan.entry);
      if (plan.do === "overflow") overflowed = true;
      if (plan.do === "summarise") {
        const summary = { before: plan.before, text: `Summary of ${plan.before}.` };
        note({ ...plan.entry, summary });
      }
      return project(state(), CONTEXT, shown, false, ASKED);
    },
    answer({ calls, text }) {
      const turn = turnOf();
      note({ kind: "turn-requested", turn, attempt: 1, final: false, shown, asked: ASKED });
      const plan = calls.map(({ is }, i): PlannedCall => {
        const id = `t${turn}c${i}`;
        return is === "rejected" ? b.rejected(id) : b.call(id, is === "unsafe" ? "unsafe" : "read", { n: i });
      });
      const made = b.turn(turn, plan, { text });
      note({ ...made, verbatim: { ...(made.verbatim as JsonObject), content: text === "" ? null : text } });
      shown = plan.map((call, i): Shown => {
        const { is, chars } = calls[i] ?? { is: "ok", chars: 0 };
        if (call.verdict === "reject") return { call: call.id, as: "rejected" };
        note(b.claim(call));
        if (is === "unknown") return { call: call.id, as: "unknown" };
        evidence.push(b.evidence(call, 1, is === "error" ? b.ERROR : ok(chars), (now += 10)));
        return { call: call.id, evidence: `${call.id}#1` };
      });
    },
  };
}

const turns = fc.array(
  fc.record({
    calls: fc.array(
      fc.record({
        chars: fc.constantFrom(5, 300, 3_000, 15_000, 40_000),
        is: fc.constantFrom("ok", "ok", "ok", "unsafe", "error", "unknown", "rejected"),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    text: fc.constantFrom("", "Let me see.", "y".repeat(2_000), "z".repeat(7_000)),
  }),
  { minLength: 1, maxLength: 9 },
);

function assertValid(messages: readonly Message[]): void {
  const calls = messages.flatMap((m) => (m.role === "assistant" ? m.callIds : []));
  assert.deepEqual(
    messages.flatMap((m) => (m.role === "tool" ? [m.callId] : [])),
    calls,
    "each call is answered once, in order",
  );
}

test("always valid on all protocols, always short enough, and never changed but by a decision", () => {
  let compacted = 0;
  let summed = 0;
  fc.assert(
    fc.property(turns, fc.constantFrom(4_000, 9_000, 20_000), fc.boolean(), (given, most, canSummarise) => {
      const player = play({ most, target: most / 2 }, canSummarise);
      let seen: readonly Message[] = [];
      for (const [i, turn] of given.entries()) {
        const before = player.compactions().length;
        const request = player.request();
        const made = player.compactions().length - before;
        compacted += made;
        assertValid(request.messages);
        const bodies = [
          checkChatRequest(JSON.parse(JSON.stringify(chatRequest(request, { apiKey: "k" })))),
          checkResponsesRequest(
            JSON.parse(JSON.stringify(responsesRequest(request, { apiKey: "k", protocol: "responses" }))),
          ),
          checkMessagesRequest(
            JSON.parse(JSON.stringify(messagesRequest(request, { apiKey: "k", protocol: "messages" }))),
          ),
        ];
        assert.deepEqual(bodies, [[], [], []]);
        if (!player.overflowed()) assert.ok(requestTokens(request, count) <= most, `${i}: over ${most}`);
        if (made === 0) assert.deepEqual(request.messages.slice(0, seen.length), seen, "what was seen has changed");
        const last = player.state().turns.at(-1);
        const message = request.messages.findLast((m) => m.role === "assistant");
        if (last !== undefined) assert.equal(message?.role === "assistant" && message.verbatim, last.verbatim);
        assert.ok(
          request.messages[0]?.role === "user" && request.messages[0].text.startsWith(CONTEXT.prompt),
          "prompt",
        );
        for (const told of request.messages)
          if (told.role === "tool" && /OutcomeUnknown/.test(told.text)) assert.match(told.text, /"status":"unknown"/);
        // Whoever takes the run next makes the same prompt, without asking for anything.
        const again = JSON.parse(JSON.stringify(player.state())) as RunState;
        assert.equal(JSON.stringify(player.request()), JSON.stringify(request), "made twice");
        assert.equal(player.compactions().length, again.compactions.length, "compacted twice");
        if (player.overflowed()) return;
        seen = request.messages;
        player.answer(turn);
      }
      summed += player.compactions().filter(({ summary }) => summary !== undefined).length;
    }),
    { numRuns: 60 },
  );
  assert.ok(compacted > 50 && summed > 5, `only ${compacted} compactions, ${summed} summaries`);
});

const big: Turn = { calls: [{ chars: 12_000, is: "ok" }], text: "" };

test("rarely and in big steps: a long run of equal turns is compacted every few turns, not at each", () => {
  const player = play({ most: 20_000, target: 10_000 });
  for (let i = 0; i < 40; i++) {
    player.request();
    player.answer(big);
  }
  const at = player.compactions().map(({ turn }) => turn);
  assert.ok(at.length <= 14, `${at.length} in 40 turns: ${at.join()}`);
  assert.ok(
    at.every((turn, i) => i === 0 || turn - (at[i - 1] ?? 0) >= 2),
    at.join(),
  );
});

test("the cheapest step that makes room is taken: old results first, then shorter ones, then a summary, then the end", () => {
  const steps = (most: number, target: number, canSummarise: boolean, ...given: readonly Turn[]): string => {
    const player = play({ most, target }, canSummarise);
    for (const turn of given) {
      player.request();
      player.answer(turn);
    }
    player.request();
    const last = player.compactions().at(-1);
    const how = [
      last?.hide === undefined ? "" : `hide ${last.hide}`,
      last?.shorten === undefined ? "" : `shorten ${last.shorten}`,
      last?.summary === undefined ? "" : `sum ${last.summary.before}`,
    ];
    return player.overflowed() ? "overflow" : how.filter(Boolean).join(", ");
  };
  const talk: Turn = { calls: [{ chars: 10, is: "ok" }], text: "" };
  assert.equal(steps(9_000, 7_000, true, big, big, big), "hide 1");
  assert.equal(steps(7_000, 3_500, true, big, big, big), "hide 1, shorten 4000");
  assert.equal(steps(2_600, 1_200, true, talk, big), "shorten 2000");
  const args: Turn = { calls: [{ chars: 10, is: "ok" }], text: "z".repeat(16_000) };
  const say: Turn = { calls: [{ chars: 10, is: "ok" }], text: "a".repeat(1_200) };
  assert.equal(steps(5_000, 3_000, true, args, say, say, say), "sum 1");
  assert.equal(steps(5_000, 3_000, false, args, say, say, say), "overflow");
  assert.equal(steps(500, 400, false, big, big), "overflow");
});

test("what went wrong and what nobody knows is never hidden, nor is an effect without a word that it happened", () => {
  const player = play({ most: 8_500, target: 4_500 });
  player.request();
  player.answer({
    calls: [
      { chars: 15_000, is: "ok" },
      { chars: 0, is: "error" },
      { chars: 0, is: "unknown" },
      { chars: 15_000, is: "unsafe" },
    ],
    text: "",
  });
  for (let i = 0; i < 2; i++) {
    player.request();
    player.answer({ calls: [{ chars: 4_000, is: "ok" }], text: "" });
  }
  const texts = player.request().messages.flatMap((m) => (m.role === "tool" ? [m.text] : []));
  assert.match(texts[0] ?? "", /^\[The result of tool_read, \d+ characters, was left out .* Call it again/);
  assert.match(texts[1] ?? "", /no such mail/);
  assert.match(texts[2] ?? "", /OutcomeUnknown/);
  assert.match(texts[3] ?? "", /^\[The result of tool_unsafe, .* It was executed; do not repeat it\.\]$/);
});

test("a summary is asked for with what the turns held, and with the summary before it", () => {
  const player = play({ most: 100_000, target: 50_000 });
  for (let i = 0; i < 4; i++) {
    player.request();
    player.answer({ calls: [{ chars: 300, is: "ok" }], text: `Thought ${i}.` });
  }
  const { messages } = player.request();
  const options = { before: 3, asked: { profile: "p", model: "cheap" }, chars: 20_000 };
  const request = summaryRequest(player.state(), CONTEXT, messages, options);
  const text = request.messages[0]?.role === "user" ? request.messages[0].text : "";
  assert.match(text, /TASK: Go[\s\S]*Thought 0[\s\S]*CALLED tool_read[\s\S]*RESULT: "x+"[\s\S]*Thought 2/);
  assert.doesNotMatch(text, /Thought 3/);
  assert.deepEqual([request.profile, request.model, request.tools], ["p", "cheap", []]);
  const summary: Decision<Compacted> = {
    kind: "compacted",
    turn: 4,
    because: "full",
    asked: ASKED,
    from: 2,
    to: 1,
    at: 1,
    epoch: 1,
    summary: { before: 2, text: "Two turns." },
  };
  const later = { ...player.state(), compactions: [summary] };
  const next = summaryRequest(later, CONTEXT, messages, options).messages[0];
  assert.match(next?.role === "user" ? next.text : "", /EARLIER SUMMARY: Two turns\.[\s\S]*Thought 2/);
  assert.doesNotMatch(next?.role === "user" ? next.text : "", /Thought 1/);
  assert.ok(
    summaryRequest(later, CONTEXT, messages, { ...options, chars: 1 }).messages.length === 1,
    "cut, not dropped",
  );
});
