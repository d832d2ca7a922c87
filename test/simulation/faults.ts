/** What goes wrong in one seed, and how often. Each seed draws its own mix: half of the faults are off, so that the others show. */
import type { Dice } from "./dice.ts";

/** Probabilities are per opportunity, times are virtual ms. */
export interface Faults {
  /** A worker dies when an answer reaches it. */
  readonly crash: number;
  /** A worker stands still, possibly beyond its lease; `suspend`: its monotonic clock too, as on a suspended machine. */
  readonly pause: number;
  readonly suspend: number;
  /** A reply is lost and the command sent again; `twin`: the first one is executed later than the second. */
  readonly resend: number;
  readonly twin: number;
  /** The client gives up on a command; it may have been executed. */
  readonly giveUp: number;
  /** An answer takes long. */
  readonly slow: number;
  readonly ticketLost: number;
  readonly ticketTwice: number;
  readonly ticketLate: number;
  /** The store is not there for a while, so many times. */
  readonly storeDown: number;
  /** The store loses its last writes, so many times. */
  readonly failovers: number;
  /** Workers that are told to stop, so many times. */
  readonly drains: number;
  /** A worker is told to stop between two steps. */
  readonly drainAmid: number;
  readonly tool: number;
  readonly model: number;
  readonly nonsense: number;
  /** The model asks for a call that it asked for before. */
  readonly stubborn: number;
  /** Users connect and disconnect every so many ms; 0: never. */
  readonly churnMs: number;
  /** An account that was just connected refuses calls all the same. */
  readonly refuse: number;
  readonly outage: number;
  /** A user who connects in the very moment when a run looks. */
  readonly eager: number;
  /** A result is stuck on its way to the store. */
  readonly evidenceLate: number;
  readonly cancel: number;
  readonly callbackLost: number;
  /** Without it only the callback opens gates, and a lost wake shows. */
  readonly sweep: boolean;
  /** A user who never connects. */
  readonly absent: boolean;
  /** ms after which the operator looks at the unknown outcomes, about; and how often one of them is told to stop, or told twice. */
  readonly answerMs: number;
  readonly stop: number;
  readonly saidTwice: number;
  /** Nobody answers. */
  readonly silent: boolean;
}

/** @param always every world is full of doubts, instead of every fifth */
export function drawFaults(dice: Dice, always: boolean): Faults {
  const half = (low: number, high: number): number => (dice.chance(0.5) ? dice.between(low, high) : 0);
  const failovers = dice.chance(0.15) ? 1 + dice.below(2) : 0;
  const sweep = failovers > 0 || dice.chance(0.5);
  const drawn: Faults = {
    crash: half(0.002, 0.06),
    pause: half(0.002, 0.05),
    suspend: half(0.05, 0.5),
    resend: half(0.01, 0.2),
    twin: half(0.01, 0.1),
    giveUp: dice.chance(0.25) ? dice.between(0.002, 0.03) : 0,
    slow: half(0.01, 0.2),
    ticketLost: half(0.05, 0.5),
    ticketTwice: half(0.05, 0.5),
    ticketLate: half(0.05, 0.5),
    storeDown: dice.chance(0.25) ? 1 + dice.below(2) : 0,
    failovers,
    drains: dice.chance(0.25) ? 1 + dice.below(3) : 0,
    drainAmid: dice.chance(0.25) ? dice.between(0.005, 0.1) : 0,
    tool: half(0.05, 0.7),
    model: half(0.05, 0.5),
    nonsense: half(0.05, 0.4),
    stubborn: half(0.1, 0.7),
    churnMs: half(1_000, 30_000),
    refuse: half(0.05, 0.5),
    outage: half(0.02, 0.3),
    eager: half(0.1, 0.8),
    evidenceLate: half(0.05, 0.3),
    cancel: half(0.1, 0.6),
    callbackLost: sweep ? half(0.1, 1) : 0,
    sweep,
    absent: dice.chance(0.05),
    answerMs: dice.pick([4, 1_000, 20_000, 90_000]),
    stop: half(0.05, 0.3),
    saidTwice: half(0.1, 0.5),
    silent: dice.chance(0.05),
  };
  return always || dice.chance(0.2) ? { ...drawn, ...doubtful(dice) } : drawn;
}

/** Calls often leave a doubt, runs change hands between two steps, and somebody answers in that very moment. */
function doubtful(dice: Dice): Partial<Faults> {
  return {
    tool: dice.between(0.4, 0.9),
    model: 0,
    stubborn: 0.5,
    drainAmid: dice.between(0.1, 0.5),
    slow: dice.chance(0.5) ? 0.2 : 0,
    cancel: 0,
    answerMs: dice.pick([4, 20, 1_000]),
    stop: dice.chance(0.5) ? 0.3 : 0,
    silent: false,
  };
}

let noFaults: Faults | undefined;

/** After the faults: what is left must bring every run to its end. */
export function calmed(faults: Faults): Faults {
  const { sweep, absent, silent, answerMs } = faults;
  noFaults ??= Object.fromEntries(Object.keys(faults).map((name) => [name, 0])) as unknown as Faults;
  return { ...noFaults, sweep, absent, silent, answerMs };
}
