/** The provider of the simulated tools: what was really executed. Looks, people and the checker read the truth here. */
import type { Json } from "../../src/core/json.ts";
import { callKey } from "../../src/core/tool-use.ts";
import { KEY_WINDOW_MS, LATEST_ARRIVAL_MS } from "./agents.ts";
import { LEASE_MS, type World } from "./world.ts";

export interface Provider {
  /**
   * A request is executed, or dropped, because its key was seen before.
   * @returns the number of the execution that it is told of
   */
  execute(request: Requested): number;
  /** How often a call has changed something. */
  effectsOf(run: string, call: string, tool: string): number;
  /** Whether there is an effect that carries this key. */
  isThere(key: string): boolean;
}

export interface Requested {
  readonly run: string;
  readonly call: string;
  readonly tool: string;
  readonly args: Json;
}

/** From the first request on: the commit of a repeat's intent may take long, and so may the way of the repeat itself. */
const KEPT_MS = KEY_WINDOW_MS + 2 * LEASE_MS + LATEST_ARRIVAL_MS;

export function createProvider(world: World): Provider {
  const { time } = world;
  const effects = new Map<string, number>();
  const keys = new Map<string, { readonly at: number; readonly number: number }>();
  let executions = 0;
  return {
    execute({ run, call, tool, args }) {
      const key = textIn(args, "key");
      const known = key === undefined ? undefined : keys.get(key);
      if (known !== undefined && time.now < known.at + KEPT_MS) {
        world.count("dropped repeat");
        return known.number;
      }
      const number = executions++;
      if (key !== undefined) keys.set(key, { at: time.now, number });
      const mark = markOf(run, call, tool);
      effects.set(mark, (effects.get(mark) ?? 0) + 1);
      return number;
    },
    effectsOf: (run, call, tool) => effects.get(markOf(run, call, tool)) ?? 0,
    isThere: (key) => effects.has(key),
  };
}

/** What an effect carries, so that it can be found again: the call's key, as the loop makes it with the crew's hash. */
function markOf(run: string, call: string, tool: string): string {
  return callKey((text) => text, run, call, tool);
}

/** An argument, if it is a text. */
export function textIn(args: Json, name: string): string | undefined {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return undefined;
  const value = (args as Readonly<Record<string, Json>>)[name];
  return typeof value === "string" ? value : undefined;
}
