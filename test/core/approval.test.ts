/** Calls that need a person's word, and calls within a tool: what `next` says, as tables. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type NeedsApproval, policyOf, type ProposedCall } from "../../src/core/needs-approval.ts";
import type { ApprovalAsked, Entry, RunnableCall } from "../../src/core/journal.ts";
import type { Approval, Evidence } from "../../src/core/outcome.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import { brief, type Given, NOW, step } from "./brief.ts";
import * as b from "./build.ts";

const needing = (id: string, effect: Parameters<typeof b.call>[1] = "unsafe", args = {}): RunnableCall => ({
  ...b.call(id, effect, args),
  approval: "always",
});
const send = needing("t0c0", "unsafe", { to: "a" });
const second = needing("t0c1", "unsafe", { to: "b" });
const read = b.call("t0c0");
const FAR = NOW + 10_000;

function asked({ id: call, name: tool, argsHash }: RunnableCall, until = FAR, id = `a-${call}`): ApprovalAsked {
  return { kind: "approval-asked", call, id, tool, argsHash, policy: "always", until };
}

function decided(of: RunnableCall, kind: Approval["kind"], more: Partial<Approval> = {}, id = `a-${of.id}`): Evidence {
  const outcome: Approval = { kind, argsHash: of.argsHash, ...more };
  return { nonce: `approval:${id}`, call: of.id, tool: of.name, argsHash: of.argsHash, outcome, tookMs: 0, at: 9_000 };
}

const acting = (plan: readonly RunnableCall[], ...more: Entry[]): Given => [...b.READY, b.turn(0, plan), ...more];

const rows: readonly (readonly [string, Given, readonly Evidence[], string])[] = [
  ["nobody was asked", acting([send]), [], "ask-approval t0c0"],
  ["all calls of the turn are asked about at once", acting([send, second]), [], "ask-approval t0c0 t0c1"],
  [
    "one that was asked about is left out",
    acting([second, send], asked(second)),
    [],
    `await-approval t0c1 a-t0c1 until ${FAR}`,
  ],
  ["waits for the word", acting([send], asked(send)), [], `await-approval t0c0 a-t0c0 until ${FAR}`],
  ["approved: made", acting([send], asked(send)), [decided(send, "approved")], "call t0c0#1"],
  ["denied: shown", acting([send], asked(send)), [decided(send, "denied")], "think t1 attempt 1 shown approval:a-t0c0"],
  [
    "denied, and the next one waits",
    acting([send, second], asked(send), asked(second)),
    [decided(send, "denied")],
    `await-approval t0c1 a-t0c1 until ${FAR}`,
  ],
  [
    "approved, not used in time: asked again",
    acting([send], asked(send, NOW)),
    [decided(send, "approved")],
    "ask-approval t0c0",
  ],
  [
    "approved, and begun in time: made again after it",
    acting([send], asked(send, NOW), b.claim(send), b.parked("retry", "t0c0"), b.LEASED, b.AGAIN),
    [decided(send, "approved"), b.evidence(send, 1, b.refused("rate-limit"), 6_500)],
    "call t0c0#2",
  ],
  [
    "asked again: the word on the first one is none",
    acting([send], asked(send, NOW), asked(send, FAR, "later")),
    [decided(send, "approved")],
    `await-approval t0c0 later until ${FAR}`,
  ],
  ["a read is made while another call waits", acting([read, second], asked(second)), [], "call t0c0#1"],
  [
    "nothing behind it is made",
    acting([send, { ...read, id: "t0c1" }], asked(send)),
    [],
    `await-approval t0c0 a-t0c0 until ${FAR}`,
  ],
  [
    "an equal call whose outcome nobody knows is not even asked about",
    acting(
      [b.call("t0c0", "unsafe", { to: "b" }), second],
      b.claim(b.call("t0c0", "unsafe", { to: "b" })),
      b.unknown(b.call("t0c0", "unsafe", { to: "b" })),
    ),
    [],
    "think t1 attempt 1 shown t0c0 unknown, t0c1 repeat",
  ],
];

for (const [what, entries, evidence, expected] of rows)
  test(`approval: ${what}`, () => assert.equal(brief(entries, evidence), expected));

test("approved with other arguments: these are sent, under their own hash", () => {
  const made = step(acting([send], asked(send)), [
    decided(send, "approved", { args: { to: "boss" }, argsHash: "other" }),
  ]);
  assert.ok(made.do === "call", made.do);
  const call = made.calls[0]?.call;
  assert.deepEqual([call?.args, call?.argsHash, call?.edited], [{ to: "boss" }, "other", true]);
});

const CALL: ProposedCall = { identifier: "u", tool: "t", args: {}, effect: "unsafe", afterReads: false };
const policies: readonly (readonly [NeedsApproval, Partial<ProposedCall>, string | undefined])[] = [
  [true, {}, "always"],
  [false, {}, undefined],
  [["unsafe", "keyed"], {}, "effect"],
  [["keyed"], {}, undefined],
  ["after-reads", {}, undefined],
  ["after-reads", { afterReads: true }, "after-reads"],
  [({ tool }) => tool === "t", {}, "function"],
  [() => Promise.resolve(false), {}, undefined],
  [() => Promise.reject(new Error("no")), {}, "function"],
  // What is no clear no is a yes.
  [(() => undefined) as unknown as NeedsApproval, {}, "function"],
];

for (const [i, [needs, more, expected]] of policies.entries())
  test(`rule ${i + 1}: ${String(expected)}`, async () =>
    assert.equal(await policyOf(needs, { ...CALL, ...more }), expected));

// Calls within a tool: `tool_idempotent` is composite here.
const tools: readonly FrozenTool[] = b.TOOLS.map((tool) =>
  tool.name === "tool_idempotent" ? { ...tool, composite: true } : tool,
);
const READY: readonly Entry[] = [b.LEASED, { kind: "prepared", context: b.context({}, { tools }), accounts: {} }];
const outer = b.call("t0c0", "idempotent");
const inner = b.call("t0c0n0", "unsafe", { to: "a" });
const planned = (call: RunnableCall, parent = "t0c0"): Entry => ({ kind: "sub-planned", parent, call });
const within = (...more: (Entry & { at?: number })[]): Given => [...READY, b.turn(0, [outer]), b.claim(outer), ...more];
const suspended = b.evidence(outer, 1, b.refused("suspended"), 9_000);

const nested: readonly (readonly [string, Given, readonly Evidence[], string])[] = [
  ["its worker died: the tool runs again at once", within(), [], "call t0c0#2"],
  [
    "its worker died after a call was made: the same",
    within(planned(inner), b.claim(inner)),
    [b.evidence(inner, 1, b.OK, 7_000)],
    "call t0c0#2",
  ],
  [
    "its worker died while a call was under way: that is waited for",
    within(planned(inner), b.at(NOW - 1_000, b.claim(inner))),
    [],
    `settle t0c0n0 until ${NOW + 9_000}`,
  ],
  [
    "nobody knows what became of that: it is written down",
    within(planned(inner), b.claim(inner)),
    [],
    "record t0c0n0#1",
  ],
  [
    "written down: the tool runs again, and is told",
    within(planned(inner), b.claim(inner), b.unknown(inner)),
    [],
    "call t0c0#2",
  ],
  [
    "stopped at a call that has to wait: waits for it",
    within(planned(inner), b.claim(inner)),
    [suspended, b.evidence(inner, 1, b.refused("rate-limit"), 7_000)],
    "retry t0c0n0 rate-limit",
  ],
  [
    "the wait is over: the tool runs again",
    within(planned(inner), b.claim(inner), b.parked("retry", "t0c0n0"), b.LEASED, { kind: "prepared", accounts: {} }),
    [suspended, b.evidence(inner, 1, b.refused("rate-limit"), 7_000)],
    "call t0c0#2",
  ],
  [
    "an account refused it: looks at the accounts",
    within(planned(inner), b.claim(inner)),
    [suspended, b.evidence(inner, 1, b.refused("account"), 7_000)],
    "prepare",
  ],
  [
    "a call within needs a word: it is asked for",
    within(planned({ ...inner, approval: "always" })),
    [suspended],
    "ask-approval t0c0n0",
  ],
  [
    "the tool has answered: what it left behind is waited for no more",
    within(planned(inner), b.claim(inner)),
    [b.evidence(outer, 1, b.OK, 9_000)],
    "think t1 attempt 1 shown t0c0#1",
  ],
  [
    "two levels down",
    within(
      planned(b.call("t0c0n0", "idempotent")),
      b.claim(b.call("t0c0n0", "idempotent")),
      planned(b.call("t0c0n0n0", "unsafe"), "t0c0n0"),
      b.claim(b.call("t0c0n0n0", "unsafe")),
    ),
    [suspended],
    "record t0c0n0n0#1",
  ],
];

for (const [what, entries, evidence, expected] of nested)
  test(`calls within a tool: ${what}`, () => assert.equal(brief(entries, evidence), expected));

test("stops at waits count as no attempts", () => {
  const times = 20;
  const claims = Array.from({ length: times }, (_, i) => b.claim(outer, i + 1));
  const evidence = claims.map((_, i) => b.evidence(outer, i + 1, b.refused("suspended"), 9_000));
  assert.equal(brief([...READY, b.turn(0, [outer]), ...claims], evidence), `call t0c0#${times + 1}`);
});
