/** A schedule as people see it: in words, and with the moments when it fires, from the very function that fires it. */
import cronstrue from "cronstrue";
import type { Json } from "../core/json.ts";
import { type CatchUp, HISTORY_KEPT, type Overlap } from "../core/schedule/definition.ts";
import { tickAfter } from "../core/schedule/state.ts";
import type { CronTimes } from "../core/schedule/timing.ts";
import type { KeptSchedule } from "./schedule-store.ts";

export interface ScheduleView {
  readonly id: string;
  readonly agent: string;
  readonly identifier: string;
  /** Where it holds `{ "$tick": "since" }`, stands the tick's value. */
  readonly input: Json;
  readonly cron?: string;
  readonly every?: number;
  readonly timezone: string;
  /** `At 08:00 AM, Monday through Friday`. */
  readonly words: string;
  readonly jitter: number;
  readonly overlap: Overlap;
  readonly catchUp: { readonly policy: CatchUp; readonly within: number };
  readonly coalesce: boolean;
  /** Lines of its history. */
  readonly keepHistory: number;
  readonly startAt?: number;
  readonly endAt?: number;
  readonly paused: boolean;
  /** The first nominal time that is not accounted for. None while paused, or when there is none any more. ms since 1970. */
  readonly nextAt?: number;
  /** When that tick fires: later than its nominal time by its jitter. */
  readonly dueAt?: number;
  /** Its runs that had not ended when it was last looked at. */
  readonly runs: readonly string[];
  /** Nominal times of ticks that wait for a run to end. */
  readonly buffered: readonly number[];
  /** Why its last tick could not make a run. It is tried again until it is too old for `catchUp`. */
  readonly error?: string;
  /** Redis ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export function viewOf(
  { id, definition, state, error, createdAt, updatedAt }: KeptSchedule,
  cronTimes: CronTimes,
): ScheduleView {
  const { timing, tenant: _, priority: __, ...shown } = definition;
  const next = tickAfter(id, timing, state, cronTimes, state.cursor);
  return {
    id,
    ...shown,
    keepHistory: shown.keepHistory ?? HISTORY_KEPT,
    ...timing,
    jitter: timing.jitter ?? 0,
    words: inWords(timing.cron, timing.every),
    paused: state.paused,
    ...(next !== undefined && { nextAt: next.nominal, dueAt: next.due }),
    runs: state.runs.map((run) => run.id),
    buffered: state.buffer.map((one) => one.nominal),
    ...(error !== undefined && { error }),
    createdAt,
    updatedAt,
  };
}

const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
  [1, "millisecond"],
] as const;

/** Of a cron, or of ms. */
export function inWords(cron: string | undefined, every = 0): string {
  if (cron !== undefined)
    return cronstrue.toString(cron, { throwExceptionOnParseError: false, use24HourTimeFormat: true });
  const [ms, unit] = UNITS.find(([size]) => every % size === 0) ?? [1, "millisecond"];
  return every === ms ? `Every ${unit}` : `Every ${every / ms} ${unit}s`;
}
