/** Definitions of agents: what a right one becomes, and what each wrong one is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, type AgentOptions } from "../../src/core/agent.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { completeLimits, DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { validate } from "../../src/core/schema.ts";

const BASE = {
  name: "inbox-digest",
  model: "openai/some-model",
  instructions: "Sum up.",
  input: z.object({ days: z.number() }),
};
const CONTEXT = { input: { days: 1 }, identifier: "user_1" };

test("a small agent gets its defaults", () => {
  const made = agent(BASE);
  assert.deepEqual(
    { ...made, input: 0, instructions: made.instructions(CONTEXT), prompt: made.prompt(CONTEXT) },
    {
      name: "inbox-digest",
      profile: "openai",
      model: "some-model",
      fallbacks: [],
      fallbackOn: {},
      summariser: undefined,
      stream: false,
      instructions: "Sum up.",
      prompt: '{"days":1}',
      connections: [],
      tools: [],
      onUnknown: "tell",
      needsApproval: false,
      approvalMs: 86_400_000,
      input: 0,
      output: undefined,
      limits: DEFAULT_LIMITS,
      atLimit: "answer",
      queue: "default",
      expiresAfterMs: 7 * 86_400_000,
    },
  );
  assert.equal(Object.isFrozen(made), true);
});

test("a whole agent keeps what it was given", () => {
  const made = agent({
    ...BASE,
    model: "openrouter/anthropic/some-model:free",
    instructions: ({ input, identifier }) => `${identifier}: ${input.days} days`,
    prompt: ({ input }) => `Last ${input.days}`,
    connections: ["gmail", "slack"],
    tools: ["gmail_fetch_mails", { name: "slack_send_message", effect: "unsafe" }],
    output: z.string(),
    limits: { turns: 8 },
    queue: "mail",
    expiresAfterMs: 5,
  });
  assert.deepEqual([made.profile, made.model], ["openrouter", "anthropic/some-model:free"]);
  assert.deepEqual([made.instructions(CONTEXT), made.prompt(CONTEXT)], ["user_1: 1 days", "Last 1"]);
  assert.deepEqual(made.tools, [{ name: "gmail_fetch_mails" }, { name: "slack_send_message", effect: "unsafe" }]);
  assert.deepEqual(made.limits, { ...DEFAULT_LIMITS, turns: 8 });
  assert.deepEqual([made.connections, made.queue, made.expiresAfterMs], [["gmail", "slack"], "mail", 5]);
});

type Wrong = Partial<Record<keyof AgentOptions<typeof BASE.input, undefined>, unknown>>;

const names = "expected 1 to 64 letters, digits, '-', '_' or '.'";
const wrong: readonly (readonly [Wrong, string])[] = [
  [{ name: undefined }, `agent undefined: name: ${names}, starting with a letter or digit.`],
  [{ name: "" }, `agent "": name: ${names}, starting with a letter or digit.`],
  [{ name: "my agent" }, `agent "my agent": name: ${names}, starting with a letter or digit.`],
  [{ name: "-x" }, `agent "-x": name: ${names}, starting with a letter or digit.`],
  [{ name: "x".repeat(65) }, `agent "${"x".repeat(65)}": name: ${names}, starting with a letter or digit.`],
  ...["some-model", "/some-model", "openai/", "", 5, undefined].map((model): [Wrong, string] => [
    { model },
    `model: expected "profile/model", such as "openai/" and a model's name, got ${JSON.stringify(model)}. The profile is a key of createErrand({ models }).`,
  ]),
  [{ instructions: undefined }, "instructions: expected a text or a function that gives one, got undefined."],
  [{ instructions: ["a"] }, "instructions: expected a text or a function that gives one, got a list."],
  [{ prompt: "Go" }, "prompt: expected a function that gives a text, got string."],
  [
    { input: undefined },
    "input: expected a schema with the Standard Schema and Standard JSON Schema interfaces, such as zod 4.2 or newer: z.object({ … }).",
  ],
  [{ input: { type: "object" } }, "input: expected a schema with"],
  [{ output: { "~standard": { validate: (): void => undefined } } }, "output: expected a schema with"],
  [{ queue: "a b" }, `queue: ${names}, got "a b".`],
  [{ queue: 5 }, `queue: ${names}, got 5.`],
  [{ expiresAfterMs: 0 }, "expiresAfterMs: expected a positive number of milliseconds, got 0."],
  [{ expiresAfterMs: Infinity }, "expiresAfterMs: expected a positive number of milliseconds, got Infinity."],
  [{ expiresAfterMs: "1" }, "expiresAfterMs: expected a positive number of milliseconds, got 1."],
  [{ connections: "gmail" }, "connections: expected a list of names, got string."],
  [{ connections: [""] }, "connections: expected names, got an empty text."],
  [{ connections: [null] }, "connections: expected names, got null."],
  [{ connections: ["gmail", "gmail"] }, 'connections: "gmail" is named twice.'],
  [{ tools: { a: 1 } }, "tools: expected a list of names, got object."],
  [{ tools: [null] }, "tools: expected names, got undefined."],
  [{ tools: [{}] }, "tools: expected names, got undefined."],
  [{ tools: [""] }, "tools: expected names, got an empty text."],
  [{ tools: ["a", { name: "a", effect: "read" }] }, 'tools: "a" is named twice.'],
  [
    { tools: [{ name: "a", effect: "reads" }] },
    'tools: a: effect: expected one of read, idempotent, keyed, staged, verifiable, unsafe, got "reads".',
  ],
  [
    { tools: Array.from({ length: 129 }, (_, i) => `t${i}`) },
    "tools: expected at most 128, got 129: model providers refuse more. Name the ones that the agent needs.",
  ],
  [{ fallbacks: ["openai/b"] } as Wrong, 'there is no "fallbacks". Did you mean "fallbackOn"? Known: name, model,'],
  [
    { tools: [{ name: "a", needApproval: true }] },
    'tools: a: there is no "needApproval". Did you mean "needsApproval"?',
  ],
  [{ tools: [{ name: "a", trusted: "yes" }] }, 'tools: a: trusted: expected true or false, got "yes".'],
  [{ limits: { turn: 8 } }, 'unknown limit "turn". Did you mean "turns"? Known: turns, toolCalls,'],
  [{ limits: { constructor: 8 } }, 'unknown limit "constructor". Known: turns, toolCalls,'],
  [{ limits: { turns: 0 } }, "limits.turns: expected a whole number from 1 to 200, got 0."],
  [{ limits: { turns: 201 } }, "limits.turns: expected a whole number from 1 to 200, got 201."],
  [{ limits: { turns: 1.5 } }, "limits.turns: expected a whole number from 1 to 200, got 1.5."],
  [{ limits: { turns: "8" } }, 'limits.turns: expected a whole number from 1 to 200, got "8".'],
  [{ limits: { turns: NaN } }, "limits.turns: expected a whole number from 1 to 200, got NaN."],
  [{ limits: { turns: null } }, "limits.turns: expected a whole number from 1 to 200, got null."],
  [{ limits: { tokens: 0 } }, "limits.tokens: expected a whole number from 1 to 1000000000, got 0."],
  [{ limits: { costUsd: 0 } }, "limits.costUsd: expected US dollars above 0 and up to 100000, got 0."],
  [{ limits: { costUsd: NaN } }, "limits.costUsd: expected US dollars above 0 and up to 100000, got NaN."],
  [{ limits: { costUsd: 100_000.01 } }, "limits.costUsd: expected US dollars above 0 and up to 100000, got 100000.01."],
  [{ limits: { activeMs: Infinity } }, "limits.activeMs: expected a whole number from 1 to 86400000, got Infinity."],
  [{ atLimit: "stop" }, 'atLimit: expected one of answer, fail, park, got "stop".'],
  [{ tools: [{ name: "a", polling: 1 }] }, "tools: a: polling: expected true or false, got 1."],
  [{ limits: { repairs: -1 } }, "limits.repairs: expected a whole number from 0 to 10, got -1."],
];

test("each wrong definition is refused where it is written", () => {
  for (const [part, message] of wrong)
    assert.throws(
      () => agent({ ...BASE, ...part } as never),
      (error: unknown) => {
        assert.ok(error instanceof ErrandError, `${message}: ${String(error)}`);
        assert.equal(error.code, "agent-invalid");
        const told = message.startsWith("agent") ? message : `agent "inbox-digest": ${message}`;
        assert.equal(error.message.slice(0, told.length), told);
        return true;
      },
      message,
    );
});

test("limits: what is left out keeps its default, zero repairs are allowed, the caps are reached", () => {
  assert.deepEqual(completeLimits(undefined, "x"), DEFAULT_LIMITS);
  assert.deepEqual(completeLimits({ repairs: 0 }, "x").repairs, 0);
  assert.equal(completeLimits({ turns: undefined as unknown as number }, "x").turns, DEFAULT_LIMITS.turns);
  assert.equal(completeLimits({ turns: 200, toolCalls: 2_000 }, "x").toolCalls, 2_000);
});

test("a schema's issues are told with their paths", async () => {
  const schema = z.object({ a: z.number(), b: z.array(z.object({ c: z.string() })) });
  assert.deepEqual(await validate(schema, { a: 1, b: [{ c: "x" }] }), { ok: true, value: { a: 1, b: [{ c: "x" }] } });
  const bad = await validate(schema, { a: "1", b: [{ c: 2 }] });
  assert.deepEqual(bad, {
    ok: false,
    issues: [
      "a: Invalid input: expected number, received string",
      "b.0.c: Invalid input: expected string, received number",
    ],
  });
  assert.deepEqual(await validate(z.number(), "x"), {
    ok: false,
    issues: ["Invalid input: expected number, received string"],
  });
});
