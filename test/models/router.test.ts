import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelReply } from "../../src/core/messages.ts";
import { modelsOf } from "../../src/models/protocols.ts";
import { modelRouter } from "../../src/models/router.ts";
import type { Model } from "../../src/ports/model.ts";
import { REQUEST } from "./lab.ts";

const options = { timeoutMs: 1_000, signal: new AbortController().signal };

test("the request's profile chooses the model", async () => {
  const router = modelRouter({ openai: named("a"), fast: named("b") });
  const replies = [];
  for (const profile of ["openai", "fast"]) replies.push(await router.respond({ ...REQUEST, profile }, options));
  assert.deepEqual(
    replies.map((reply) => reply.kind === "failure" && reply.message),
    ["a openai", "b fast"],
  );
});

test("an unknown profile is told with the near names and all known ones; inherited names are unknown", async () => {
  const router = modelRouter({ openai: named("a"), fast: named("b") });
  const rows = [
    [
      router,
      "opneai",
      'There is no model profile "opneai". Did you mean "openai"? Known: openai, fast. Name it in createErrand({ models }).',
    ],
    [
      router,
      "constructor",
      'There is no model profile "constructor". Known: openai, fast. Name it in createErrand({ models }).',
    ],
    [modelRouter({}), "x", 'There is no model profile "x". Known: none. Name it in createErrand({ models }).'],
  ] as const;
  for (const [model, profile, message] of rows)
    assert.deepEqual(await model.respond({ ...REQUEST, profile }, options), {
      kind: "failure",
      class: "invalid",
      message,
    });
});

/** Tells who was asked, and for which profile. */
function named(name: string): Model {
  return {
    respond: async ({ profile }): Promise<ModelReply> => ({
      kind: "failure",
      class: "retry",
      message: `${name} ${profile}`,
    }),
  };
}

test("of several profiles, the message says which one is wrong; a name that no agent could use is refused", () => {
  const good = { apiKey: "k" };
  for (const [profiles, message] of [
    [{ good, bad: { apiKey: "" } }, /^model profile "bad": apiKey: expected printable ASCII/],
    [{ good, bad: null }, /^model profile "bad": expected an object with at least an apiKey\./],
    [{ good, "open/ai": good }, /^model profile "open\/ai": expected a name without a slash/],
    [{ "": good }, /^model profile "": expected a name/],
  ] as const)
    assert.throws(() => modelsOf(profiles as never), { code: "option-invalid", message });
  assert.deepEqual(Object.keys(modelsOf({ good })), ["good"]);
});
