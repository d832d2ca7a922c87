/** Calls that may have been executed and have no result: who finds out, what the model is told, and what is never repeated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OnUnknown } from "../../src/core/effects.ts";
import type { Entry, RunnableCall } from "../../src/core/journal.ts";
import { project } from "../../src/core/project.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { brief, type Given, step } from "./brief.ts";
import * as b from "./build.ts";

const send = b.call("t0c0", "unsafe", { to: "a" });
const again = b.call("t0c1", "unsafe", { to: "a" });
const other = b.call("t0c1", "unsafe", { to: "b" });
const issue = b.call("t0c0", "verifiable", { title: "x" });
const draft = b.call("t0c0", "staged", { id: 1 });
const look = b.lookOf(issue);

/** Prepared with this policy for all tools. */
function ready(onUnknown: OnUnknown = "tell"): readonly Entry[] {
  const tools = b.TOOLS.map((tool) => ({ ...tool, onUnknown }));
  return [b.LEASED, { kind: "prepared", context: b.context({}, { tools }), accounts: {} }];
}

const acting = (plan: readonly RunnableCall[], onUnknown?: OnUnknown): Given => [
  ...ready(onUnknown),
  b.turn(0, plan),
  ...plan.slice(0, 1).map((one) => b.claim(one)),
];
const told = [...acting([send]), b.unknown(send)];
const asked = [...acting([send], "ask"), b.at(7_000, b.unknown(send))];
const planned = [...acting([issue]), b.lookPlanned(issue)];
const lookMade = [...planned, b.claim(look)];

const rows: readonly (readonly [string, Given, readonly Evidence[], string])[] = [
  ["tell: written down", acting([send]), [], "record t0c0#1"],
  ["tell: then told", told, [], "think t1 attempt 1 shown t0c0 unknown"],
  ["a late result is shown instead", told, [b.evidence(send, 1, b.OK, 8_000)], "think t1 attempt 1 shown t0c0#1"],
  [
    "a late word that it was not executed opens it again, after a wait",
    told,
    [b.evidence(send, 1, b.refused("rate-limit"), 8_000)],
    "retry t0c0 rate-limit",
  ],

  ["fail: written down first", acting([send], "fail"), [], "record t0c0#1"],
  ["fail: then it ends the run", [...acting([send], "fail"), b.unknown(send)], [], "end failed unknown-outcome"],

  ["ask: written down first", acting([send], "ask"), [], "record t0c0#1"],
  ["ask: then a person is asked", asked, [], "ask t0c0#1 since 7000"],
  ["answered: it happened", asked, [b.answered(send, "happened", 9_000)], "think t1 attempt 1 shown t0c0 happened"],
  ["answered: it did not", asked, [b.answered(send, "not-executed", 9_000)], "call t0c0#2"],
  ["answered: stop", asked, [b.answered(send, "stop", 9_000)], "end cancelled -"],
  [
    "a result counts more than an answer",
    asked,
    [b.answered(send, "not-executed", 9_000), b.evidence(send, 1, b.OK, 9_500)],
    "think t1 attempt 1 shown t0c0#1",
  ],
  [
    "an answer is good for one attempt only",
    [...asked, b.claim(send, 2)],
    [b.answered(send, "not-executed", 9_000)],
    "record t0c0#2",
  ],

  ["verifiable: a look is planned", acting([issue]), [], "plan-look t0c0 of t0c0#1"],
  ["staged: a look is planned", acting([draft]), [], "plan-look t0c0 of t0c0#1"],
  ["unsafe with onUnknown verify: a look is planned", acting([send], "verify"), [], "plan-look t0c0 of t0c0#1"],
  ["a look is a call", planned, [], "call t0c0v1#1"],
  ["whose worker died: it is made again", lookMade, [], "call t0c0v1#2"],
  [
    "that failed is made again after a wait",
    lookMade,
    [b.evidence(look, 1, b.UNKNOWN, 8_000)],
    "retry t0c0v1 unavailable",
  ],
  [
    "whose account refuses waits for the account",
    lookMade,
    [b.evidence(look, 1, b.refused("account"), 8_000)],
    "prepare",
  ],
  ["that was made is concluded", lookMade, [b.evidence(look, 1, b.OK, 8_000)], "conclude t0c0#1 from t0c0v1#1"],
  [
    "that found an error is concluded too",
    lookMade,
    [b.evidence(look, 1, b.ERROR, 8_000)],
    "conclude t0c0#1 from t0c0v1#1",
  ],
  [
    "that cannot be made is concluded from nothing",
    [...planned, ...[1, 2, 3, 4, 5].map((n) => b.claim(look, n))],
    [],
    "conclude t0c0#1 from nothing",
  ],
  ["it happened", [...lookMade, b.looked(issue, "happened")], [], "think t1 attempt 1 shown t0c0 happened"],
  ["it did not: it is made again", [...lookMade, b.looked(issue, "not-executed")], [], "call t0c0#2"],
  ["it does not tell: written down", [...lookMade, b.looked(issue, "unsure")], [], "record t0c0#1"],
  ["and told", [...lookMade, b.looked(issue, "unsure"), b.unknown(issue)], [], "think t1 attempt 1 shown t0c0 unknown"],
  [
    "the second attempt is looked after anew",
    [...lookMade, b.looked(issue, "not-executed"), b.claim(issue, 2)],
    [],
    "plan-look t0c0 of t0c0#2",
  ],
  [
    "the last attempt is not",
    [...lookMade, b.looked(issue, "not-executed"), ...[2, 3, 4, 5].map((n) => b.claim(issue, n))],
    [],
    "record t0c0#5",
  ],

  [
    "an equal call is not made",
    [...acting([send, again]), b.unknown(send)],
    [],
    "think t1 attempt 1 shown t0c0 unknown, t0c1 repeat",
  ],
  ["another one is", [...acting([send, other]), b.unknown(send)], [], "call t0c1#1"],
  [
    "an equal call is made once a person has answered",
    [...acting([send, again]), b.unknown(send)],
    [b.answered(send, "happened", 9_000)],
    "call t0c1#1",
  ],
  [
    "or a result came late",
    [...acting([send, again]), b.unknown(send)],
    [b.evidence(send, 1, b.OK, 9_000)],
    "call t0c1#1",
  ],
  [
    "an equal call of a later turn is not made either",
    [...told, b.requested(1, [{ call: "t0c0", as: "unknown" }]), b.turn(1, [b.call("t1c0", "unsafe", { to: "a" })])],
    [],
    "think t2 attempt 1 shown t1c0 repeat",
  ],
];

test("each state of a call in doubt has its step", () => {
  for (const [name, entries, evidence, expected] of rows) assert.equal(brief(entries, evidence), expected, name);
});

test("a look waits for the deadline and for the time it needs to see what happened", () => {
  const tools = b.TOOLS.map((tool) => ({ ...tool, settleMs: 40_000 }));
  const entries: Given = [
    b.LEASED,
    { kind: "prepared", context: b.context({}, { tools }), accounts: {} },
    b.turn(0, [issue]),
    b.at(5_000, b.claim(issue)),
  ];
  assert.deepEqual(step(entries), { do: "settle", call: "t0c0", until: 55_000 });
  // Its own worker could not tell, because its connection broke: the provider may be at it for as long.
  assert.deepEqual(step(entries, [b.evidence(issue, 1, b.UNKNOWN, 12_000)]), {
    do: "settle",
    call: "t0c0",
    until: 55_000,
  });
});

function shownText(entries: Given, evidence: readonly Evidence[] = []): readonly string[] {
  const made = step(entries, evidence);
  assert.equal(made.do, "think");
  const { messages } = project(b.run(entries, evidence), b.context(), made.shown, false);
  return messages.flatMap((message) => (message.role === "tool" ? [message.text] : []));
}

function parsed(text: string): { readonly success: boolean; readonly outcome?: unknown } {
  return JSON.parse(text) as { success: boolean; outcome?: unknown };
}

test("the model is told when, how to check, and that an equal call is refused", () => {
  const [unknown = "", repeat = ""] = shownText([...acting([send, again]), b.unknown(send)]);
  assert.deepEqual(parsed(unknown).outcome, {
    status: "unknown",
    started_at: "1970-01-01T00:00:05.000Z",
    repeat_allowed: false,
    verify_with: ["tool_read"],
    operator_ref: "r1/t0c0",
  });
  assert.match(repeat, /call t0c0 had the same arguments.*DuplicateOfUnknown/);
  assert.equal(parsed(repeat).success, false);
});

test("of a call that happened, the model is told that its result is lost", () => {
  const [text = ""] = shownText(asked, [b.answered(send, "happened", 9_000)]);
  assert.match(text, /was executed\. Its result was lost/);
  assert.equal(parsed(text).success, true);
});
