/** Which model is asked next: a table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FALLBACK_ON, hasAnother, modelFor, mostHopeful } from "../../src/core/fallback.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Trouble } from "../../src/core/messages.ts";
import * as b from "./build.ts";

const A = { profile: "openai", model: "m-1" };
const B = { profile: "two", model: "b" };
const C = { profile: "three", model: "c" };
const CONTEXT = b.context({}, { fallbacks: [B, C] });
const failed = (asked: typeof A, why: Trouble = "retry"): Entry => ({
  kind: "turn-failed",
  turn: 0,
  asked,
  why,
  message: "no",
});
const by = (asked: typeof A): Entry => b.turn(0, [], { asked, leadsTo: "again" });

const rows: readonly (readonly [string, readonly Entry[], typeof A])[] = [
  ["at first", [], A],
  ["after one failed", [failed(A)], B],
  ["after two failed", [failed(A), failed(B)], C],
  ["who answered last is asked first", [failed(A), by(B)], B],
  ["and then the others in order", [failed(A), by(B), failed(B)], A],
  ["after a wait the first again", [failed(A), by(B), b.parked("retry", "t1"), b.LEASED], A],
  ["a wait forgets who failed", [failed(A), failed(B), b.parked("retry", "t0"), b.LEASED], A],
  ["a turn of an older journal was the first's", [b.turn(0, [], { leadsTo: "again" })], A],
];

test("who is asked", () => {
  for (const [name, entries, expected] of rows)
    assert.deepEqual(modelFor(b.run([...b.READY, ...entries]), CONTEXT), expected, name);
});

test("which troubles lead to another model, and only while there is one", () => {
  const state = b.run(b.READY);
  for (const [why, on] of Object.entries(FALLBACK_ON) as [Trouble, boolean][]) {
    assert.equal(hasAnother(state, CONTEXT, A, why), on, why);
    assert.equal(hasAnother(state, { ...CONTEXT, fallbackOn: { [why]: !on } }, A, why), !on, why);
    assert.equal(hasAnother(state, b.context(), A, why), false, "there is no other");
  }
  assert.equal(hasAnother(b.run([...b.READY, failed(A), failed(B)]), CONTEXT, C, "retry"), false, "all have failed");
});

test("when none answers: what a wait helps comes first, and the shortest wait", () => {
  const of = (...whys: readonly [Trouble, ...Trouble[]]): Trouble => {
    const [first, ...rest] = whys.map((why) => ({ why, message: why }));
    return first === undefined ? "retry" : mostHopeful([first, ...rest]).why;
  };
  assert.equal(of("invalid", "retry"), "retry");
  assert.equal(of("credentials", "billing"), "billing");
  assert.equal(of("context", "credentials", "invalid"), "credentials");
  const limits = [60_000, 2_000].map((retryAfterMs) => ({ why: "rate-limit" as const, message: "", retryAfterMs }));
  const [long, short] = limits;
  assert.ok(long !== undefined && short !== undefined, "two");
  assert.equal(mostHopeful([long, short]).retryAfterMs, 2_000);
});
