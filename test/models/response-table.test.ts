/**
 * Each row of the response table over the wire, on all three protocols: the vendor's SDK, the adapter, the judgement; and where calls were
 * asked for, the next request with what became of them, which the server takes as the real API would.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { judge, type Judgement } from "../../src/core/judge.ts";
import type { Message, ModelAnswer, ModelReply, ModelRequest } from "../../src/core/messages.ts";
import { httpError, say } from "../../src/testing/model/index.ts";
import { createChecker } from "../../src/tools/check.ts";
import { CONTEXT } from "./golden/parts.ts";
import { type Lab, lab, PROTOCOLS } from "./lab.ts";
import { ROWS } from "./response-rows.ts";

const ASKED: ModelRequest = {
  profile: "p",
  model: "m-1",
  system: "You help.",
  messages: [{ role: "user", text: "What is new?" }],
  tools: CONTEXT.tools,
  toolChoice: "auto",
};
const check = createChecker();

for (const protocol of PROTOCOLS)
  test(`the response table (${protocol})`, async (t) => {
    const at = await lab(t, [], { protocol });
    for (const [name, { reply, leadsTo, told, text, usage, stream, timeoutMs = 20_000, only }] of Object.entries(
      ROWS,
    )) {
      if (only !== undefined && only !== protocol) continue;
      await t.test(name, async () => {
        const replies = [typeof reply === "function" ? reply(protocol) : reply].flat();
        const before = at.server.requests.length;
        at.server.script((_request, { index }) => replies[index - before] ?? httpError(400));
        const signal = new AbortController().signal;
        let heard = "";
        const onText = (piece: string): void => void (heard += piece);
        const got = await at.model.respond(ASKED, { timeoutMs, signal, ...(stream && { onText }) });
        const sent = at.server.requests.length - before;
        assert.equal(sent, replies.length, "no SDK that tries again");
        const judgement = got.kind === "answer" ? judged(got) : undefined;
        assert.equal(summary(got, judgement), leadsTo, JSON.stringify(got).slice(0, 500));
        if (told !== undefined) assert.match(said(got, judgement), told);
        if (got.kind !== "answer") return;
        if (text !== undefined) assert.equal(got.text, text);
        if (text !== undefined && stream) assert.equal(heard, text);
        if (usage !== undefined) assert.deepEqual(got.usage, usage);
        if (judgement?.leadsTo === "act") await goesOn(at, got, judgement);
      });
    }
  });

function judged(answer: ModelAnswer): Judgement {
  return judge(answer, {
    turn: 0,
    final: false,
    context: CONTEXT,
    callsMade: 0,
    repairs: 0,
    check: (tool, args) => check(tool.hash, tool.parameters, args),
    hash: (words) => createHash("sha256").update(words).digest("hex"),
    withKey: (_tool, args) => args,
  });
}

/** `failure rate-limit after 7000 ms`, `discard empty-answer`, `act: 2 run, 1 UnknownTool`. */
function summary(reply: ModelReply, judgement: Judgement | undefined): string {
  if (reply.kind === "failure")
    return `failure ${reply.class}${reply.retryAfterMs === undefined ? "" : ` after ${reply.retryAfterMs} ms`}`;
  switch (judgement?.leadsTo) {
    case undefined:
      return "nothing";
    case "discard":
      return `discard ${judgement.code}`;
    case "fail":
      return `fail ${judgement.failure?.code}`;
    case "act": {
      const counts = new Map<string, number>();
      for (const call of judgement.plan) {
        const verdict = call.verdict === "run" ? "run" : typeOf(call.answer);
        counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      }
      return `act: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ")}`;
    }
    default:
      return `${judgement?.leadsTo}${judgement?.truncated === true ? " truncated" : ""}`;
  }
}

function typeOf(told: unknown): string {
  return /"type":"(\w+)"/.exec(JSON.stringify(told))?.[1] ?? "nothing";
}

function said(reply: ModelReply, judgement: Judgement | undefined): string {
  if (reply.kind === "failure") return reply.message;
  const plan = judgement !== undefined && "plan" in judgement ? judgement.plan : [];
  const told = plan.flatMap((call) => (call.verdict === "run" ? [] : [JSON.stringify(call.answer)]));
  return told.join("\n").replaceAll('\\"', '"');
}

/** Its words and the results of its calls go back, and are taken. */
async function goesOn(at: Lab, { verbatim, text }: ModelAnswer, judgement: Judgement): Promise<void> {
  const plan = "plan" in judgement ? judgement.plan : [];
  const results = plan.map(({ id, name }): Message => ({ role: "tool", callId: id, name, text: "{}" }));
  const turn: Message = { role: "assistant", verbatim, text, callIds: plan.map(({ id }) => id) };
  at.server.script(() => say("Done."));
  const next = await at.answer({ ...ASKED, messages: [...ASKED.messages, turn, ...results] });
  assert.deepEqual([next.text, at.server.requests.at(-1)?.problems], ["Done.", []]);
}
