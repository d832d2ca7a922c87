/** What the conformance suites share: entries, and the steps that most cases begin with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import type { Evidence, Outcome } from "../../src/core/outcome.ts";
import type { NeedReason } from "../../src/core/run.ts";
import type { Claim, Commit, Move } from "../../src/ports/journal.ts";
import { createRequest } from "./request.ts";
import type { Header, OpenSubject, Subject } from "./subject.ts";

export const yielded: Entry = { kind: "yielded" };
export const parked: Entry = {
  kind: "parked",
  reason: "account",
  needs: [{ connection: "gmail", reason: "not-connected" }],
};
export const ended: Entry = { kind: "ended", status: "completed", output: "done" };
export const END: Move = { to: "end", status: "completed" };
export const FAR: number = 4_000_000_000_000;
export const LINE: string = "default:user_1 note";

export async function enqueue(s: Subject, options: Parameters<typeof createRequest>[0] = {}): Promise<string> {
  const reply = await s.create(createRequest(options));
  assert.equal(reply.answer, "ok");
  return "run" in reply ? reply.run : "";
}

export async function header(s: Subject, run: string): Promise<Header> {
  const found = await s.header(run);
  assert.notEqual(found, undefined, `${run} is there`);
  return found as Header;
}

export async function claim(s: Subject, run: string, nonce: string = `claim-${run}`): Promise<Claim> {
  const reply = await s.journal.claim(run, { ticket: (await header(s, run)).ticket, nonce, worker: "w1" });
  assert.equal(reply.answer, "claimed");
  return reply as Claim;
}

export function commit(claimed: Claim, entries: readonly Entry[], move: Move, changed: Partial<Commit> = {}): Commit {
  const { run, epoch } = claimed;
  return { run, epoch, length: claimed.decisions.length, nonce: `commit-${run}-${epoch}`, entries, move, ...changed };
}

export const toGate = (gate: string, version: number = 0): Move => ({ to: "gate", gate, version, until: FAR });

export const GMAIL: string = "account/user_1/gmail";
export const SLACK: string = "account/user_1/slack";

/** With the versions that these gates have now. */
export async function toAccounts(s: Subject, gates: readonly string[], reason: NeedReason = "expired"): Promise<Move> {
  const needs = await Promise.all(gates.map(async (gate) => ({ gate, version: await s.gates.version(gate), reason })));
  return { to: "accounts", needs, until: FAR };
}

export async function park(s: Subject, run: string, move: Move): Promise<string> {
  const c = await claim(s, run, `claim-${run}-${(await header(s, run)).epoch}`);
  return (await s.journal.commit(commit(c, [parked], move))).answer;
}

export function result(nonce: string, outcome: Outcome): Omit<Evidence, "at"> {
  return { nonce, call: "t0c0", tool: "x", argsHash: "h", tookMs: 1, outcome };
}

export type Case = (
  what: string,
  body: (of: (options?: Parameters<OpenSubject>[1]) => Subject) => Promise<void>,
) => void;

/** Each case gets its own store. */
export function casesOf(name: string, open: OpenSubject): Case {
  return (what, body) => void test(`${name}: ${what}`, (t) => body((options) => open(t, options)));
}
