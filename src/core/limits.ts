/** The bounds of a run. Parked time counts against none of them. */
import { ErrandError } from "./errors.ts";
import { toldValue } from "./json.ts";
import { didYouMean } from "./nearest.ts";

export interface Limits {
  /** Committed model answers. The last one is reserved for an answer without tool calls; repairs of it come on top. */
  readonly turns: number;
  /** Tool calls of the whole run. */
  readonly toolCalls: number;
  /** Calls that tools of the app's own make while they run, of the whole run. */
  readonly nestedCalls: number;
  /** Tool calls of one turn that are made; the model is told to ask again for the rest. */
  readonly callsPerTurn: number;
  /** Reading calls under way at once. */
  readonly parallel: number;
  /** Characters of one tool result that the model sees, and of all results of one turn. */
  readonly resultChars: number;
  readonly turnResultChars: number;
  /** Failed attempts of one step (model call or tool call) before the run fails or the model is told. */
  readonly attempts: number;
  /** Answers that fail the output schema and are sent back. */
  readonly repairs: number;
  /** Workers that may die at one step before the run is stopped as poison. */
  readonly crashes: number;
  /** ms for one model call, one tool call. */
  readonly modelTimeoutMs: number;
  readonly toolTimeoutMs: number;
  /** ms that workers spend on the run. Looked at before each model call and each tool call, so what is under way then is finished. */
  readonly activeMs: number;
  /** Characters of all tool results of the run together, as JSON. */
  readonly runResultChars: number;
  /** Tokens of all model calls, in and out, with those of calls whose answer was lost. Default: no limit. */
  readonly tokens?: number;
  /** US dollars of all model calls, likewise. Models without a known price are not counted. Default: no limit. */
  readonly costUsd?: number;
}

/** What is done at a limit: one last turn without tools, for an answer with what there is; the run fails; or it waits for the operator. */
export type AtLimit = "answer" | "fail" | "park";
export const AT_LIMIT: readonly AtLimit[] = ["answer", "fail", "park"];

/** A limit of the whole run that ends its work: which one was met. */
export type RunLimit = "turns" | "toolCalls" | "activeMs" | "runResultChars" | "tokens" | "costUsd" | "loop";

/** facts/seeds.md D.4 and C.5 give the sources: 8 to 20 turns at the peers, 16 calls a turn, 16 k characters a result. */
export const DEFAULT_LIMITS: Limits = {
  turns: 10,
  toolCalls: 40,
  nestedCalls: 1_000,
  callsPerTurn: 16,
  parallel: 4,
  resultChars: 16_000,
  turnResultChars: 48_000,
  attempts: 5,
  repairs: 2,
  crashes: 5,
  modelTimeoutMs: 300_000,
  toolTimeoutMs: 60_000,
  activeMs: 3_600_000,
  runResultChars: 32_000_000,
};

export const HARD_CAPS: Required<Limits> = {
  turns: 200,
  toolCalls: 2_000,
  nestedCalls: 20_000,
  callsPerTurn: 128,
  parallel: 32,
  resultChars: 1_000_000,
  turnResultChars: 2_000_000,
  attempts: 50,
  repairs: 10,
  crashes: 100,
  modelTimeoutMs: 3_600_000,
  toolTimeoutMs: 3_600_000,
  activeMs: 86_400_000,
  runResultChars: 1_000_000_000,
  tokens: 1_000_000_000,
  costUsd: 100_000,
};

/** @throws ErrandError `agent-invalid` naming the limit, what is allowed and what came */
export function completeLimits(given: Partial<Limits> | undefined, whose: string): Limits {
  return { ...DEFAULT_LIMITS, ...checkLimits(given, (message) => refuse(`${whose}: ${message}`)) };
}

function refuse(message: string): never {
  throw new ErrandError("agent-invalid", message);
}

/** @param no throws, with what was expected. @returns those that are given */
export function checkLimits(given: Partial<Limits> | undefined, no: (message: string) => never): Partial<Limits> {
  const limits: Partial<Record<keyof Limits, number>> = {};
  if (given !== undefined && (typeof given !== "object" || given === null || Array.isArray(given)))
    return no(`limits: expected names and numbers, such as { turns: 20 }, got ${JSON.stringify(given)}.`);
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    if (!isLimit(name))
      return no(`unknown limit "${name}".${didYouMean(name, LIMIT_NAMES)} Known: ${LIMIT_NAMES.join(", ")}.`);
    const problem = limitProblem(name, value);
    if (problem !== undefined) no(`limits.${name}: ${problem}`);
    limits[name] = value;
  }
  return limits;
}

const LIMIT_NAMES: readonly string[] = Object.keys(HARD_CAPS);

function isLimit(name: string): name is keyof Limits {
  return Object.hasOwn(HARD_CAPS, name);
}

function limitProblem(name: keyof Limits, value: unknown): string | undefined {
  const cap = HARD_CAPS[name];
  if (name === "costUsd")
    return typeof value === "number" && value > 0 && value <= cap
      ? undefined
      : `expected US dollars above 0 and up to ${cap}, got ${toldValue(value)}.`;
  const least = name === "repairs" ? 0 : 1;
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= cap
    ? undefined
    : `expected a whole number from ${least} to ${cap}, got ${toldValue(value)}.`;
}
