/** The agents of the torture, one row each, and what the model says in their name. */
import { z } from "zod";
import { agent, type TypedAgent } from "../../src/index.ts";
import { call, calls, say, type ScriptFunction, type ScriptRequest, toolOutcomes } from "../../src/testing/index.ts";
import { type Args, CONNECTION, usesOf } from "./tools.ts";

interface Row {
  readonly name: string;
  /** Which tools the model asks for, turn by turn; then it answers. */
  readonly turns: readonly (readonly string[])[];
}

const [look, set, pay] = ["torture_look", "torture_set", "torture_pay"] as const;
const [publish, post, send] = ["torture_publish", "torture_post", "torture_send"] as const;

export const ROWS: readonly Row[] = [
  { name: "reader", turns: [[look], [look, look, look], [look]] },
  { name: "setter", turns: [[look], [set], [set, look]] },
  { name: "payer", turns: [[look], [pay], [pay, look]] },
  { name: "publisher", turns: [[look], [publish], [publish]] },
  { name: "poster", turns: [[look], [post], [post]] },
  { name: "sender", turns: [[look], [send], [send]] },
  {
    name: "sender-of-two",
    turns: [
      [send, send],
      [look, send],
    ],
  },
  { name: "mixed", turns: [[look, look], [send, set, look], [post, pay], [publish]] },
];

export type TortureAgent = TypedAgent<{ key: string }, { key: string }, string>;

/** Long enough for a crowded machine; short, because a lost call is waited for by lease, this and grace. */
const TOOL_TIMEOUT_MS = 1_500;

/** Limits are as good as none: a run that ends as failed has met a fault that it should have survived. */
export const AGENTS: readonly TortureAgent[] = ROWS.map(({ name, turns }) =>
  agent({
    name,
    model: `scripted/${name}`,
    instructions: "Do what is asked.",
    connections: [CONNECTION],
    tools: usesOf(turns.flat()),
    input: z.object({ key: z.string() }),
    limits: { toolTimeoutMs: TOOL_TIMEOUT_MS, modelTimeoutMs: 5_000, crashes: 100, attempts: 50 },
  }),
);

/** The model's part. It asks by turn, so a request that comes again gets the same answer; its last words tell what it was told. */
export const script: ScriptFunction = (request, { turn }) => {
  const row = ROWS.find(({ name }) => name === request.model);
  if (row === undefined) throw new Error(`no agent ${request.model}`);
  const key = keyOf(request);
  const asked = row.turns[turn];
  if (asked !== undefined) return calls(asked.map((tool, i) => call(tool, argsOf(key, `t${turn}c${i}`))));
  return say(lastWords(key, toolOutcomes(request).map(wordOf)));
};

export function argsOf(key: string, place: string): Args & { [name: string]: string } {
  return { of: key, place };
}

/** The output of a run: its key, and for each call `ok` or what else the model was told. */
export function lastWords(key: string, words: readonly string[]): string {
  return `done ${key}: ${words.join(" ")}`;
}

/** In the journal's words: what the product writes for a call without a result has no `done` in it. */
function wordOf({ error, data }: { readonly error: string | undefined; readonly data: unknown }): string {
  if (error !== undefined) return error === "OutcomeUnknown" ? "unknown" : error;
  return typeof data === "object" && data !== null && "done" in data ? "ok" : "happened";
}

function keyOf(request: ScriptRequest): string {
  const prompt = request.messages.find((message) => message.role === "user")?.text ?? "";
  return (JSON.parse(prompt) as { key: string }).key;
}
