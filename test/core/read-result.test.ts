/** read_result as tables: what it reads, what it refuses, when it is offered, and that its pieces make the whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../src/core/json.ts";
import type { Evidence, Outcome } from "../../src/core/outcome.ts";
import { project } from "../../src/core/project.ts";
import { checkReadResult, readResult, textOf } from "../../src/core/read-result.ts";
import * as b from "./build.ts";

function evidence(outcome: Outcome): Evidence {
  return { nonce: "n", call: "t0c0", tool: "x", argsHash: "h", outcome, tookMs: 1, at: 1 };
}

function data(outcome: Outcome): { text: string; next?: number; characters: number } {
  assert.equal(outcome.kind, "ok", JSON.stringify(outcome));
  return (outcome.kind === "ok" ? outcome.data : null) as never;
}

test("the pieces make the whole, and none is cut again; invisible characters stay out of it", () => {
  const ok = { kind: "ok", data: { text: `a"b\u{e0041}😀`.repeat(2_000), list: [1, 2, 3] } } as const;
  let whole = "";
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const piece: ReturnType<typeof data> = data(readResult({ call: "t0c0", offset }, evidence(ok), undefined, 4_000));
    assert.equal(JSON.stringify(piece).length < 4_000, true);
    assert.equal(piece.characters, textOf(ok).length);
    whole += piece.text;
    offset = piece.next;
  }
  assert.equal(whole.replaceAll("\ufffd", ""), textOf(ok).replaceAll("\ufffd", ""));
  assert.doesNotMatch(whole, /\p{Cf}/u);
});

test("of a large result, the whole that is kept beside the journal", () => {
  const blob = { kept: true, characters: 9, pieces: 1 } as const;
  const large = evidence({ kind: "ok", data: { truncated: true }, blob });
  assert.equal(data(readResult({ call: "t0c0", offset: 3, length: 3 }, large, "012345678", 4_000)).text, "345");
  assert.equal(data(readResult({ call: "t0c0", offset: 99 }, large, "012345678", 4_000)).text, "");
  assert.equal(readResult({ call: "t0c0" }, large, undefined, 4_000).kind, "error");
});

test("there is only what this run's own calls have left", () => {
  for (const outcome of [
    undefined,
    evidence({ kind: "error", type: "x", message: "secret", retryable: false }),
    evidence({ kind: "unknown", message: "secret" }),
  ])
    assert.doesNotMatch(JSON.stringify(readResult({ call: "t9c9" }, outcome, undefined, 4_000)), /secret|"ok"/);
});

const BAD: readonly Json[] = [
  {},
  null,
  [],
  { call: 7 },
  { call: "../x" },
  { call: "t0c0", offset: -1 },
  { call: "t0c0", offset: 1.5 },
  { call: "t0c0", length: 0 },
  { call: "t0c0", identifier: "eve" },
];

test("arguments that do not fit", () => {
  assert.deepEqual(checkReadResult({ call: "t0c0", offset: 0, length: 10 }), []);
  for (const args of BAD) assert.equal(checkReadResult(args).length, 1, JSON.stringify(args));
});

test("it is offered once something was left out, with the place to read on; offsets count in what is shown", () => {
  const call = b.call("t0c0", "read");
  const shown = [{ call: "t0c0", evidence: "t0c0#1" }];
  const context = b.context();
  const request = (text: string): ReturnType<typeof project> => {
    const state = b.run(
      [...b.READY, b.requested(0), b.turn(0, [call]), b.claim(call)],
      [b.evidence(call, 1, { kind: "ok", data: { text } }, 7_500)],
    );
    return project(state, context, shown, false);
  };
  const short = request("x");
  const long = request("x".repeat(40_000));
  const names = ({ tools }: typeof short): string[] => tools.map(({ name }) => name);
  assert.deepEqual([names(short).includes("read_result"), names(long).at(-1)], [false, "read_result"]);
  const result = long.messages.at(-1);
  const text = result?.role === "tool" ? result.text : "";
  const [, offset = ""] = /read_result\(\{"call":"t0c0","offset":(\d+)\}\)/.exec(text) ?? [];
  assert.equal(
    text.split("\n")[0],
    textOf({ kind: "ok", data: { text: "x".repeat(40_000) } }).slice(0, Number(offset)),
  );
  assert.equal(text.length <= 16_000, true);
});
