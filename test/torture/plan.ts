/**
 * What is going to happen in a round, drawn from a seed before it starts: the runs and the faults, in their order. Equal seeds, equal
 * plans. Real processes are not so obedient: the same plan may meet its runs at other steps.
 */
import { type Dice, rollDice } from "../simulation/dice.ts";
import { ROWS } from "./agents.ts";

/** Fault → how often, among all. What each does stands in faults.ts. */
export const WEIGHTS = {
  kill: 6,
  pause: 4,
  terminate: 2,
  cut: 3,
  "lose-replies": 4,
  "lose-enqueue-reply": 3,
  slow: 2,
  refuse: 2,
  "kill-redis": 2,
  "flush-scripts": 1,
  "drop-tickets": 2,
  "lose-account": 3,
  "lose-tool-reply": 3,
} as const;

export type Kind = keyof typeof WEIGHTS;

export interface PlannedFault {
  readonly kind: Kind;
  /** Since the fault before. */
  readonly afterMs: number;
  /** In [0, 1): whom it hits, in which way, and how long. */
  readonly who: number;
  readonly how: number;
  readonly long: number;
}

export interface PlannedRun {
  readonly key: string;
  readonly agent: string;
  readonly identifier: string;
  /** Since its turn came: so that some are on their way when a fault comes. */
  readonly afterMs: number;
  /** An app that gives up when its first enqueue fails, and never knows whether it worked. */
  readonly givesUp: boolean;
  /** An app that enqueues it once more although it worked. */
  readonly twice: boolean;
  /** It waits for the result. */
  readonly waits: boolean;
  readonly cancelAfterMs?: number;
}

export interface Plan {
  readonly identifiers: readonly string[];
  /** How many runs there are to be before the fault at the same index. */
  readonly faults: readonly PlannedFault[];
  readonly runs: readonly PlannedRun[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly faults: number;
  readonly runs: number;
  readonly kinds: readonly Kind[];
  /** A round in a longer torture: it makes keys unique. */
  readonly round?: number;
}

/** Few, so that a ticket made again for a lost run does not stand behind many others. */
const IDENTIFIERS = 12;
const [LEAST_GAP_MS, MOST_GAP_MS] = [150, 600];

export function drawPlan({ seed, faults, runs, kinds, round = 0 }: PlanOptions): Plan {
  const dice = rollDice(seed);
  const identifiers = Array.from({ length: IDENTIFIERS }, (_, i) => `user-${i}`);
  return {
    identifiers,
    runs: Array.from({ length: runs }, (_, i) => drawRun(dice, `s${seed}-${round}-${i}`, identifiers)),
    faults: drawKinds(dice, faults, kinds).map((kind) => ({
      kind,
      afterMs: Math.round(dice.between(LEAST_GAP_MS, MOST_GAP_MS)),
      who: dice.random(),
      how: dice.random(),
      long: dice.random(),
    })),
  };
}

function drawRun(dice: Dice, key: string, identifiers: readonly string[]): PlannedRun {
  const pick = (names: readonly string[]): string => names[dice.below(names.length)] ?? "";
  const cancelled = dice.chance(0.04);
  return {
    key,
    agent: pick(ROWS.map(({ name }) => name)),
    identifier: pick(identifiers),
    afterMs: Math.round(dice.between(0, 2 * LEAST_GAP_MS)),
    givesUp: dice.chance(0.3),
    twice: dice.chance(0.1),
    waits: dice.chance(0.1),
    ...(cancelled && { cancelAfterMs: Math.round(dice.between(0, 1_500)) }),
  };
}

/** Each kind once, in any order, and then as their weights say: a short round has met them all. */
function drawKinds(dice: Dice, count: number, kinds: readonly Kind[]): Kind[] {
  const left = [...kinds];
  const first: Kind[] = [];
  while (left.length > 0) first.push(...left.splice(dice.below(left.length), 1));
  const weights = Object.fromEntries(kinds.map((kind) => [kind, WEIGHTS[kind]])) as Record<Kind, number>;
  const rest = Array.from({ length: Math.max(0, count - first.length) }, () => dice.weighed(weights));
  return [...first, ...rest].slice(0, count);
}
