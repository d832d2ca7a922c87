/** Generated answers, and what is begun behind them: nothing throws, and the provider is told one thing of each call that it knows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isObject } from "../../src/core/json.ts";
import type { Message, ModelRequest } from "../../src/core/messages.ts";
import { responsesAnswer } from "../../src/models/responses-answer.ts";
import { keptHistory } from "../../src/models/responses-kept.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";
import type { ResponsesProfile } from "../../src/models/responses.ts";
import { type Dice, rollDice } from "../simulation/dice.ts";
import { body } from "./fuzz/bodies.ts";
import { REQUEST, tool, user } from "./lab.ts";

type Fields = Readonly<Record<string, unknown>>;

const COUNT = 4_000;
const profile: ResponsesProfile = { protocol: "responses", apiKey: "k", features: { previousResponseId: true } };
const history = keptHistory(profile);

/** The request behind a generated answer, as it would go out; nothing where there is no answer. */
function behind(dice: Dice): { readonly sent: Fields; readonly full: Fields; readonly said: unknown } | undefined {
  const given = body("responses", dice);
  // The provider's own ids are as odd as the rest of it.
  const answered = isObject(given) && dice.chance(0.8) ? { id: "resp_1", ...given } : given;
  const first = responsesRequest(REQUEST, profile);
  const answer = responsesAnswer(answered, { model: "m", tookMs: 1 });
  if (answer.kind === "fault") return undefined;
  const { kept } = history.told(REQUEST, first, first, answered);
  const { verbatim, text } = answer;
  const callIds = answer.calls.map((_, i) => `t0c${i}`);
  const told = dice.chance(0.9) ? callIds : callIds.slice(1);
  const messages: readonly Message[] = [
    ...REQUEST.messages,
    { role: "assistant", verbatim, text, callIds, ...(kept !== undefined && { kept }) },
    ...told.map((id) => tool(id)),
    ...(callIds.length === 0 || dice.chance(0.2) ? [user("Again.")] : []),
  ];
  const request: ModelRequest = { ...REQUEST, messages, ...(dice.chance(0.1) && { system: "Other." }) };
  const full = responsesRequest(request, profile);
  return { sent: history.sent(request, full), full, said: verbatim };
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

test("nothing throws, and what is begun behind an answer says one thing of each of its calls", () => {
  let [kept, all] = [0, 0];
  for (let seed = 1; seed <= COUNT; seed++) {
    const found = behind(rollDice(seed));
    if (found === undefined) continue;
    const { sent, full, said } = found;
    if (sent["previous_response_id"] === undefined) {
      assert.equal(sent, full, `seed ${seed}: all of it`);
      all++;
      continue;
    }
    kept++;
    const { input, previous_response_id: id, ...rest } = sent;
    const { input: _all, ...others } = full;
    assert.deepEqual(rest, others, `seed ${seed}: all else is the same`);
    assert.equal(typeof id, "string", `seed ${seed}`);
    assert.notEqual(sent["instructions"], "Other.", `seed ${seed}: other instructions`);
    const items = listOf(input);
    assert.ok(items.length > 0, `seed ${seed}: something new`);
    const answers = items.filter(({ type }) => type !== "message").map(({ type, call_id }) => [type, call_id]);
    const calls = listOf(said).filter(({ type }) => type === "function_call" || type === "custom_tool_call");
    assert.deepEqual(
      answers,
      calls.map(({ type, call_id }) => [`${String(type)}_output`, call_id]),
      `seed ${seed}`,
    );
    assert.equal(new Set(answers.map(([, call]) => call)).size, answers.length, `seed ${seed}: ids that come twice`);
  }
  assert.ok(kept > 100 && all > 100, `blind: ${kept} begun behind, ${all} in full`);
});
