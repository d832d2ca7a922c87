/**
 * What becomes of a schedule's ticks that are due. Pure: the same schedule, state and moment give the same answer, and what it answers
 * is done in one step (queue/scripts/schedule-write.ts), so that each nominal time ends once, as enqueued, skipped, or coalesced.
 */
import type { Definition } from "./definition.ts";
import type { Buffered, DueTick, LiveRun, Outcome, ScheduleState, SkipPolicy } from "./state.ts";

/** A run to make, for the tick of `nominal`. */
export interface Make {
  readonly nominal: number;
  /** Its window begins here, and ends at the nominal time. */
  readonly since: number;
  /** Runs that wait for an account, whose place it takes. */
  readonly supersedes: readonly string[];
}

export interface Decision {
  readonly makes: readonly Make[];
  /** Runs that have to end before a buffered tick can start. */
  readonly cancels: readonly string[];
  /** Of ticks that end without a run of their own. */
  readonly outcomes: readonly Exclude<Outcome, { run: string }>[];
  readonly state: Omit<ScheduleState, "runs">;
}

/** A tick that is later than this was missed. More than any pass over what is due takes. */
export const LATE_MS = 60_000;
/** Kept with the schedule; more wait for nothing. */
const MOST_BUFFERED = 100;

interface Draft {
  /** How many runs its user and tenant may still have made for them. */
  readonly room: number;
  readonly makes: Make[];
  readonly cancels: Set<string>;
  readonly outcomes: Exclude<Outcome, { run: string }>[];
  buffer: Buffered[];
  since: number;
  cursor: number;
  /** That have not ended, and whose place nobody has taken. */
  alive: LiveRun[];
}

/**
 * @param ticks due by now and not accounted for, in order; see `tickAfter`
 * @param more there are later ones that are due as well, too many for one step
 * @param room runs that may be made now: what is over it is skipped, by `budget`
 */
export function decide(
  schedule: Definition,
  state: ScheduleState,
  ticks: readonly DueTick[],
  more: boolean,
  now: number,
  room: number = Infinity,
): Decision {
  const draft: Draft = {
    room,
    makes: [],
    cancels: new Set(),
    outcomes: [],
    buffer: [...state.buffer],
    since: state.since,
    cursor: state.cursor,
    alive: [...state.runs],
  };
  // Ticks that cancel others replace what waits: there, the last one starts.
  const replaces = schedule.overlap === "cancel-other";
  if (!state.paused && !replaces) startBuffered(draft, schedule);
  const chosen = choose(schedule, ticks, more, now);
  let given: DueTick[] = [];
  for (const tick of ticks) {
    const why = chosen.get(tick);
    if (why === "later") given.push(tick);
    else if (why === undefined) {
      place(draft, schedule, tick.nominal, given);
      given = [];
    } else {
      draft.outcomes.push({ nominal: tick.nominal, outcome: "skipped", policy: why });
      // Its time is given up: nobody wanted a run for it.
      draft.since = Math.max(draft.since, tick.nominal);
    }
    draft.cursor = tick.nominal;
  }
  // The one that stands for them is not in this step; if ticks are coalesced, it covers their time.
  for (const tick of given) draft.outcomes.push({ nominal: tick.nominal, outcome: "skipped", policy: "catch-up" });
  if (!schedule.coalesce) draft.since = Math.max(draft.since, given.at(-1)?.nominal ?? 0);
  if (!state.paused && replaces) startBuffered(draft, schedule);
  const last = state.past.filter(({ until }) => until > draft.cursor);
  return {
    makes: draft.makes,
    cancels: [...draft.cancels],
    outcomes: merged(draft.outcomes, ticks),
    state: { cursor: draft.cursor, since: draft.since, paused: state.paused, past: last, buffer: draft.buffer },
  };
}

/** Ticks that are not to be placed, and why: skipped, or `later`: the latest one stands for it. */
function choose(
  { catchUp, overlap }: Definition,
  ticks: readonly DueTick[],
  more: boolean,
  now: number,
): ReadonlyMap<DueTick, SkipPolicy | "later"> {
  const within = catchUp.policy === "none" ? LATE_MS : catchUp.within;
  const why = new Map<DueTick, SkipPolicy | "later">();
  const wanted = ticks.filter((tick) => {
    if (tick.paused) why.set(tick, "paused");
    else if (now - tick.due > within) why.set(tick, "catch-up");
    return !why.has(tick);
  });
  // Nobody wants a run that the next one cancels at once.
  const latest = catchUp.policy === "latest" || overlap === "cancel-other";
  if (latest) for (const tick of more ? wanted : wanted.slice(0, -1)) why.set(tick, "later");
  return why;
}

/** @param given earlier ticks that it stands for */
function place(draft: Draft, schedule: Definition, nominal: number, given: readonly DueTick[]): void {
  const { coalesce, overlap } = schedule;
  const since = coalesce ? draft.since : (given.at(-1)?.nominal ?? draft.since);
  const told = (outcome: "coalesced" | SkipPolicy): void => {
    for (const tick of given)
      draft.outcomes.push(
        outcome === "coalesced"
          ? { nominal: tick.nominal, outcome, into: nominal }
          : { nominal: tick.nominal, outcome: "skipped", policy: outcome },
      );
  };
  const taken = coalesce ? "coalesced" : "catch-up";
  const skip = (policy: SkipPolicy): void => {
    told(coalesce ? policy : "catch-up");
    draft.outcomes.push({ nominal, outcome: "skipped", policy });
    if (!coalesce) draft.since = nominal;
  };
  const waiting = draft.alive.filter((run) => run.is === "waits");
  const takesOver = coalesce && waiting.length > 0 && waiting.length === draft.alive.length;
  const starts = overlap === "allow-all" || (draft.alive.length === 0 && draft.buffer.length === 0);
  if ((takesOver || starts) && !hasRoom(draft)) {
    skip("budget");
  } else if (takesOver) {
    told(taken);
    takeOver(draft, nominal, since);
  } else if (starts) {
    told(taken);
    make(draft, nominal, since, []);
  } else if (overlap === "skip") {
    skip("skip");
  } else if (overlap === "cancel-other") {
    told(taken);
    for (const run of draft.alive) draft.cancels.add(run.id);
    for (const other of draft.buffer)
      draft.outcomes.push(
        coalesce || other.covers
          ? { nominal: other.nominal, outcome: "coalesced", into: nominal }
          : { nominal: other.nominal, outcome: "skipped", policy: "cancel-other" },
      );
    const from = draft.buffer.filter((other) => coalesce || other.covers).map((other) => other.since);
    draft.buffer = [];
    keep(draft, schedule, nominal, Math.min(since, ...from), from.length > 0);
  } else if (draft.buffer.length >= (overlap === "buffer-one" ? 1 : MOST_BUFFERED)) {
    skip(overlap);
  } else {
    told(taken);
    keep(draft, schedule, nominal, since);
  }
}

/** It waits for the run before. @param covers see `Buffered`; where ticks are coalesced it always does */
function keep(draft: Draft, { coalesce }: Definition, nominal: number, since: number, covers = coalesce): void {
  draft.buffer.push({ nominal, since, ...((coalesce || covers) && { covers: true }) });
  draft.since = nominal;
}

/** One after the other: each waits for the run before. What was kept under another policy starts now where all are allowed. */
function startBuffered(draft: Draft, { coalesce, overlap }: Definition): void {
  const [first, ...others] = draft.buffer;
  if (first === undefined) return;
  if (coalesce && draft.alive.length > 0 && draft.alive.every((run) => run.is === "waits")) {
    if (!hasRoom(draft)) return;
    const last = others.at(-1) ?? first;
    draft.buffer = draft.buffer.filter((one) => one !== last);
    takeOver(draft, last.nominal, last.since);
  } else if (overlap === "allow-all" || draft.alive.length === 0) {
    const all = overlap === "allow-all" ? draft.buffer : [first];
    draft.buffer = overlap === "allow-all" ? [] : others;
    const kept: Buffered[] = [];
    for (const one of all) {
      if (hasRoom(draft)) make(draft, one.nominal, one.since, []);
      // It stands for others as well: it waits until there is room.
      else if (one.covers === true) kept.push(one);
      else draft.outcomes.push({ nominal: one.nominal, outcome: "skipped", policy: "budget" });
    }
    draft.buffer = [...kept, ...draft.buffer];
  }
}

function hasRoom({ makes, room }: Draft): boolean {
  return makes.length < room;
}

/** The run that waits gives way, and so do the ticks that wait for it; the new run covers what they covered. */
function takeOver(draft: Draft, nominal: number, since: number): void {
  const from = Math.min(since, ...draft.alive.map((run) => run.since), ...draft.buffer.map((one) => one.since));
  for (const one of draft.buffer) draft.outcomes.push({ nominal: one.nominal, outcome: "coalesced", into: nominal });
  draft.buffer = [];
  const ids = draft.alive.map((run) => run.id);
  draft.alive = [];
  make(draft, nominal, from, ids);
}

function make(draft: Draft, nominal: number, since: number, supersedes: readonly string[]): void {
  draft.makes.push({ nominal, since, supersedes });
  draft.alive.push({ id: "", since, is: "busy" });
  draft.since = Math.max(draft.since, nominal);
}

/** Equal ones of ticks that follow each other become one: a year of missed minutes is one line. */
function merged(
  outcomes: readonly Exclude<Outcome, { run: string }>[],
  ticks: readonly DueTick[],
): Exclude<Outcome, { run: string }>[] {
  const places = new Map(ticks.map(({ nominal }, i) => [nominal, i]));
  const lines: Exclude<Outcome, { run: string }>[] = [];
  for (const one of outcomes) {
    const last = lines.at(-1);
    const follows =
      last !== undefined &&
      reason(last) === reason(one) &&
      places.get(one.nominal) === (places.get(last.nominal) ?? NaN) + 1;
    if (follows) lines[lines.length - 1] = { ...one, first: last.first ?? last.nominal, count: (last.count ?? 1) + 1 };
    else lines.push(one);
  }
  return lines;
}

function reason(one: Exclude<Outcome, { run: string }>): string {
  return one.outcome === "skipped" ? one.policy : `into ${one.into}`;
}
