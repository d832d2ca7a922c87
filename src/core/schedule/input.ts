/**
 * A schedule's input, which may name what only the tick knows. It is kept as JSON, because the process that fires is another one: where a
 * value of the tick belongs stands `{ "$tick": "since" }`. A function says the same in code: it is called once, when the schedule is
 * defined, with stand-ins for the values.
 */
import { ErrandError } from "../errors.ts";
import { isObject, isTooDeep, type Json, toJson } from "../json.ts";

/** What a tick knows. The window is from `since` to `until`, which is the nominal time; windows of a schedule's runs leave no gap. */
export interface Tick {
  readonly schedule: string;
  readonly identifier: string;
  /** ms since 1970. */
  readonly nominal: number;
  readonly since: number;
  readonly until: number;
  /** In UTC: `2027-03-28T06:00:00.000Z`. */
  readonly nominalIso: string;
  readonly sinceIso: string;
  readonly untilIso: string;
}

export type TickName = keyof Tick;

const NAMES: readonly TickName[] = [
  "schedule",
  "identifier",
  "nominal",
  "since",
  "until",
  "nominalIso",
  "sinceIso",
  "untilIso",
];

/** Stands for a value in the function's answer. Whatever computes with it is told that there is nothing to compute with yet. */
class StandIn {
  readonly name: TickName;
  constructor(name: TickName) {
    this.name = name;
  }
  [Symbol.toPrimitive](): never {
    throw refusal(
      `tick.${this.name} is not known yet: the function is called when the schedule is defined, and only says where the tick's values go, as in (tick) => ({ since: tick.since }). Compute in the agent: its instructions and prompt are given covers.from and covers.to`,
    );
  }
  toJSON(): never {
    return this[Symbol.toPrimitive]();
  }
}

/** @throws ErrandError `schedule-invalid` */
export function inputTemplate(input: unknown): Json {
  const given: unknown = typeof input === "function" ? answered(input as (tick: unknown) => unknown) : input;
  if (isTooDeep(given)) throw refusal("it is deeper than 500 levels, or holds itself");
  return toJson(marked(given));
}

function answered(input: (tick: unknown) => unknown): unknown {
  const tick = Object.fromEntries(NAMES.map((name) => [name, new StandIn(name)]));
  let given: unknown;
  try {
    given = input(tick);
  } catch (error) {
    if (error instanceof ErrandError) throw error;
    throw refusal(`the function failed: ${error instanceof Error ? error.message.slice(0, 200) : "it threw no Error"}`);
  }
  if (given instanceof Promise) throw refusal("expected a function that answers at once, it answered with a promise");
  return given;
}

function marked(value: unknown): unknown {
  if (value instanceof StandIn) return { $tick: value.name };
  if (Array.isArray(value)) return value.map(marked);
  if (!isObject(value) || value instanceof Date) return value;
  if ("$tick" in value && (Object.keys(value).length > 1 || !isName(value["$tick"])))
    throw refusal(
      `expected { "$tick": one of ${NAMES.join(", ")} } and nothing beside it, got ${JSON.stringify(value["$tick"])}`,
    );
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner)]));
}

/** The input of one run. */
export function inputOf(template: Json, tick: Tick): Json {
  if (Array.isArray(template)) return template.map((inner: Json) => inputOf(inner, tick));
  if (!isObject(template)) return template;
  const name = template["$tick"];
  if (isName(name)) return tick[name];
  return Object.fromEntries(Object.entries(template).map(([key, inner]) => [key, inputOf(inner as Json, tick)]));
}

export function tickOf(schedule: string, identifier: string, nominal: number, since: number): Tick {
  const [nominalIso, sinceIso] = [nominal, since].map((ms) => new Date(ms).toISOString()) as [string, string];
  return { schedule, identifier, nominal, since, until: nominal, nominalIso, sinceIso, untilIso: nominalIso };
}

function isName(value: unknown): value is TickName {
  return NAMES.some((name) => name === value);
}

function refusal(what: string): ErrandError {
  return new ErrandError("schedule-invalid", `schedule: input: ${what}.`);
}
