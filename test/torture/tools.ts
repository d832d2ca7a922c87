/** The tools of the torture, one of each effect, and the provider behind them: what it has done, it remembers for each user. */
import { setTimeout as after } from "node:timers/promises";
import type { Effect } from "../../src/core/effects.ts";
import type { ToolUse } from "../../src/index.ts";
import { type Connector, defineConnector } from "../../src/testing/index.ts";

export const CONNECTION = "torture";

/** Which call of which run this is, in the tool's own arguments: `of` is the run's key, `place` the call's id. */
export interface Args {
  readonly of: string;
  readonly place: string;
}

interface Tool {
  /** As agents name it; the effect is always told. */
  readonly use: ToolUse & { readonly effect: Effect };
  /** ms that it takes, from and to. What is dangerous takes longer: workers are to die while they are at it. */
  readonly takes: readonly [number, number];
}

/** The keyed tool, and the argument in which it carries a key. */
export const PAY = "torture_pay";
export const KEY = "idempotency_key";
const FIND = "torture_find";
/** Whether it happened, asked of the provider. */
const verify: NonNullable<ToolUse["verify"]> = {
  tool: FIND,
  args: ({ args }) => {
    const { of, place } = args as unknown as Args;
    return { of, place };
  },
  happened: (answer) => (answer.ok ? (answer.data as { found?: boolean }).found : undefined),
};

const ALL: readonly Tool[] = [
  { use: { name: "torture_look", effect: "read" }, takes: [10, 60] },
  { use: { name: FIND, effect: "read" }, takes: [10, 60] },
  { use: { name: "torture_set", effect: "idempotent" }, takes: [20, 120] },
  { use: { name: PAY, effect: "keyed", key: KEY }, takes: [40, 200] },
  { use: { name: "torture_publish", effect: "staged", verify }, takes: [40, 200] },
  { use: { name: "torture_post", effect: "verifiable", verify }, takes: [40, 200] },
  { use: { name: "torture_send", effect: "unsafe" }, takes: [40, 250] },
];

export const TOOL_EFFECTS: ReadonlyMap<string, Effect> = new Map(ALL.map(({ use }) => [use.name, use.effect]));

/** The uses that an agent needs which calls these: with a look comes its tool. */
export function usesOf(names: readonly string[]): readonly ToolUse[] {
  const needed = ALL.filter(({ use }) => names.includes(use.name));
  const looks = needed.flatMap(({ use }) => use.verify?.tool ?? []);
  return ALL.filter(({ use }) => names.includes(use.name) || looks.includes(use.name)).map(({ use }) => use);
}

export const connector: Connector = defineConnector<Set<string>>({
  name: CONNECTION,
  title: "Torture",
  scopes: ["torture"],
  /** Calls that were executed. */
  world: () => new Set(),
  tools: ALL.map(({ use: { name, effect }, takes: [least, most] }) => ({
    name,
    description: `Has the effect ${effect}.`,
    parameters: {
      of: { type: "string" },
      place: { type: "string" },
      ...(effect === "keyed" && { [KEY]: { type: "string" } }),
    },
    required: ["of", "place"],
    run: async ({ of, place }, done) => {
      const call = JSON.stringify([of, place]);
      await after(least + (sumOf(call) % (most - least)));
      if (name === FIND) return { found: done.has(call) };
      done.add(call);
      return { done: call };
    },
  })),
});

/** Of equal calls the same: nothing here is drawn by chance. */
function sumOf(text: string): number {
  return Array.from(text).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 100_003, 7);
}

/** How often the provider did what was asked: it drops what comes again with a key that it has seen. */
export function effectsOf(effect: Effect, executions: readonly unknown[]): number {
  if (effect !== "keyed") return executions.length;
  return new Set(executions.map((args) => (args as { readonly [KEY]?: string })[KEY])).size;
}
