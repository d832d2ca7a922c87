/** The bounds of a run. Parked time counts against none of them. */
import { ErrandError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

export interface Limits {
  /** Committed model answers. The last one is reserved for an answer without tool calls; repairs of it come on top. */
  readonly turns: number;
  /** Tool calls of the whole run. */
  readonly toolCalls: number;
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
}

/** facts/seeds.md D.4 and C.5 give the sources: 8 to 20 turns at the peers, 16 calls a turn, 16 k characters a result. */
export const DEFAULT_LIMITS: Limits = {
  turns: 10,
  toolCalls: 40,
  callsPerTurn: 16,
  parallel: 4,
  resultChars: 16_000,
  turnResultChars: 48_000,
  attempts: 5,
  repairs: 2,
  crashes: 5,
  modelTimeoutMs: 300_000,
  toolTimeoutMs: 60_000,
};

const HARD_CAPS: Limits = {
  turns: 200,
  toolCalls: 2_000,
  callsPerTurn: 128,
  parallel: 32,
  resultChars: 1_000_000,
  turnResultChars: 2_000_000,
  attempts: 50,
  repairs: 10,
  crashes: 100,
  modelTimeoutMs: 3_600_000,
  toolTimeoutMs: 3_600_000,
};

/** @throws ErrandError `agent-invalid` naming the limit, what is allowed and what came */
export function completeLimits(given: Partial<Limits> | undefined, whose: string): Limits {
  const limits: Record<string, number> = { ...DEFAULT_LIMITS };
  const names = Object.keys(DEFAULT_LIMITS);
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    const cap = Object.hasOwn(HARD_CAPS, name) ? HARD_CAPS[name as keyof Limits] : undefined;
    if (cap === undefined)
      throw new ErrandError(
        "agent-invalid",
        `${whose}: unknown limit "${name}".${didYouMean(name, names)} Known: ${names.join(", ")}.`,
      );
    const least = name === "repairs" ? 0 : 1;
    if (!Number.isInteger(value) || value < least || value > cap)
      throw new ErrandError(
        "agent-invalid",
        `${whose}: limits.${name}: expected a whole number from ${least} to ${cap}, got ${String(value)}.`,
      );
    limits[name] = value;
  }
  return limits as unknown as Limits;
}
