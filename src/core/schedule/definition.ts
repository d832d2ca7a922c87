/** A schedule: what an app defines, and the checks of it. Every refusal says what was expected, what came, and shows an example. */
import { ErrandError } from "../errors.ts";
import { checkIdentifier } from "../identifier.ts";
import type { Json } from "../json.ts";
import { didYouMean } from "../nearest.ts";
import { type OptionNames, strayOption } from "../option-names.ts";
import { inputTemplate, type Tick } from "./input.ts";
import type { Timing } from "./timing.ts";

/**
 * What a tick does while an earlier run of its schedule has not ended: `skip` this tick (default); keep it until that run has ended, one
 * at most (`buffer-one`) or each (`buffer-all`); cancel that run and start when it has ended (`cancel-other`); start (`allow-all`).
 */
export type Overlap = "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "allow-all";

/** Which of the ticks that were missed while nothing ticked are made up: none, the latest (default), or all. */
export type CatchUp = "none" | "latest" | "all";

export interface ScheduleOptions<Input = unknown> {
  /** The app's id of the user on whose behalf the runs act. Fixed for the schedule's life. */
  readonly identifier: string;
  /** Of each run; default `{}`. A function is called once, now: it says where the tick's values go, `(tick) => ({ since: tick.since })`. */
  readonly input?: Input | ((tick: Tick) => Input);
  /** Five fields: `0 8 * * 1-5`. Either this or `every`. */
  readonly cron?: string;
  /** ms, at least 60,000; counted from `startAt`, or from 1970. */
  readonly every?: number;
  /** IANA name; default UTC. */
  readonly timezone?: string;
  /** ms; ticks are late by up to this, always the same for one schedule. Default 0. */
  readonly jitter?: number;
  readonly overlap?: Overlap;
  /** `within`: ms, for how long a missed tick is made up; default a day. */
  readonly catchUp?: CatchUp | { readonly policy: CatchUp; readonly within?: number };
  /**
   * Default true: a run covers the time of all ticks since the last run, and takes the place of an earlier run that still waits for an
   * account, whose time it covers as well. With false each run covers its own tick's time.
   */
  readonly coalesce?: boolean;
  /** How many lines of what became of its times are kept: 1 to 1,000, default 20. */
  readonly keepHistory?: number;
  /** ms since 1970, or a Date. */
  readonly startAt?: number | Date;
  readonly endAt?: number | Date;
  /** Not given: as it is; a new one ticks. */
  readonly paused?: boolean;
  /** As with `enqueue`. */
  readonly tenant?: string;
  readonly priority?: number;
}

/** As it is kept. */
export interface Definition {
  readonly agent: string;
  readonly identifier: string;
  /** With `{ "$tick": … }` where the tick's values go. */
  readonly input: Json;
  readonly timing: Timing;
  readonly overlap: Overlap;
  readonly catchUp: { readonly policy: CatchUp; readonly within: number };
  readonly coalesce: boolean;
  /** Absent: HISTORY_KEPT. */
  readonly keepHistory?: number;
  readonly tenant?: string;
  readonly priority?: number;
}

export const OVERLAPS: readonly Overlap[] = ["skip", "buffer-one", "buffer-all", "cancel-other", "allow-all"];
export const CATCH_UPS: readonly CatchUp[] = ["none", "latest", "all"];

/** Lines of a schedule's history, if it does not say how many. */
export const HISTORY_KEPT = 20;
/** Where a run gives way, a step reads them all. */
const MOST_HISTORY = 1_000;
/** The grain of cron. A run of an agent takes minutes, and costs. */
const LEAST_EVERY_MS = 60_000;
/** Ten years: what is longer is a slip, and may have no next time that a Date can tell. */
const MOST_EVERY_MS = 3_660 * 86_400_000;
const MOST_JITTER_MS = 86_400_000;
const DAY_MS = 86_400_000;
/** The end of year 9999. */
const LAST_MOMENT = 253_402_300_799_999;

/** What the checks know of the world. */
export interface Known {
  /** @throws Error in a parser's words */
  readonly parseCron: (cron: string) => void;
  readonly isZone: (name: string) => boolean;
  readonly zones: () => readonly string[];
  /** ms that the keys of runs are kept, and with them the memory of what was made: nothing older is made up. */
  readonly keepMs: number;
}

/** Without spaces, and without the colon that takes keys apart. */
const ID = /^[\x21-\x39\x3b-\x7e]{1,200}$/;

/** @throws ErrandError `schedule-invalid` */
export function checkScheduleId(id: unknown): string {
  if (typeof id === "string" && ID.test(id)) return id;
  const got = typeof id !== "string" ? typeof id : id.length > 200 ? `${id.length} characters` : JSON.stringify(id);
  throw new ErrandError(
    "schedule-invalid",
    `schedule: id: expected 1 to 200 printable ASCII characters without spaces and colons, such as "digest/user_123", got ${got}.`,
  );
}

/** All but whether its input fits its agent, and whether there is a time. @throws ErrandError `schedule-invalid`, `identifier-invalid` */
export function checkDefinition(id: string, agent: string, options: ScheduleOptions, known: Known): Definition {
  const refuse = (what: string): never => {
    throw new ErrandError("schedule-invalid", `schedule ${id}: ${what}`);
  };
  if (typeof options !== "object" || options === null)
    refuse(`expected options, such as { identifier, cron: "0 8 * * *" }.`);
  const stray = strayOption(options, OPTIONS);
  if (stray !== undefined) refuse(stray);
  const { overlap = "skip", coalesce = true, keepHistory = HISTORY_KEPT, tenant, priority, paused } = options;
  if (!(Number.isInteger(keepHistory) && keepHistory >= 1 && keepHistory <= MOST_HISTORY))
    refuse(`keepHistory: expected 1 to ${MOST_HISTORY} lines, such as ${HISTORY_KEPT}, got ${told(keepHistory)}.`);
  if (!OVERLAPS.includes(overlap))
    refuse(
      `overlap: expected one of ${OVERLAPS.join(", ")}, got ${told(overlap)}.${didYouMean(String(overlap), OVERLAPS)}`,
    );
  for (const [name, value] of Object.entries({ coalesce, paused }))
    if (value !== undefined && typeof value !== "boolean")
      refuse(`${name}: expected true or false, got ${told(value)}.`);
  if (tenant !== undefined) checkIdentifier(tenant);
  if (priority !== undefined && !(Number.isInteger(priority) && Math.abs(priority) <= 1000))
    refuse(`priority: expected a whole number from -1000 to 1000, got ${told(priority)}.`);
  return {
    agent,
    identifier: checkIdentifier(options.identifier),
    input: inputTemplate(options.input ?? {}),
    timing: checkTiming(options, known, refuse),
    overlap,
    catchUp: checkCatchUp(options.catchUp, known, refuse),
    coalesce,
    ...(keepHistory !== HISTORY_KEPT && { keepHistory }),
    ...(tenant !== undefined && { tenant }),
    ...(priority !== undefined && { priority }),
  };
}

type Refuse = (what: string) => never;

const OPTIONS: OptionNames<ScheduleOptions> = {
  identifier: true,
  input: true,
  cron: true,
  every: true,
  timezone: true,
  jitter: true,
  overlap: true,
  catchUp: true,
  coalesce: true,
  keepHistory: true,
  startAt: true,
  endAt: true,
  paused: true,
  tenant: true,
  priority: true,
};

function checkTiming(options: ScheduleOptions, known: Known, refuse: Refuse): Timing {
  const { cron, every, timezone = "UTC", jitter = 0 } = options;
  if ((cron === undefined) === (every === undefined))
    refuse(
      `expected either cron, such as "0 8 * * *", or every, such as 3600000, got ${cron === undefined ? "neither" : "both"}.`,
    );
  if (every !== undefined && !(Number.isSafeInteger(every) && every >= LEAST_EVERY_MS && every <= MOST_EVERY_MS))
    refuse(
      `every: expected at least ${LEAST_EVERY_MS} ms (a minute) and at most ${MOST_EVERY_MS} (ten years), such as 3600000 for an hour, got ${told(every)}.`,
    );
  if (typeof timezone !== "string" || !/^[A-Za-z]/.test(timezone) || !known.isZone(timezone))
    refuse(
      `timezone: expected the IANA name of a zone, such as "Europe/Berlin", got ${told(timezone)}.${typeof timezone === "string" ? didYouMean(timezone, known.zones()) : ""}`,
    );
  if (!(Number.isSafeInteger(jitter) && jitter >= 0 && jitter <= MOST_JITTER_MS))
    refuse(`jitter: expected 0 to ${MOST_JITTER_MS} ms (a day), such as 600000 for ten minutes, got ${told(jitter)}.`);
  const startAt = moment("startAt", options.startAt, refuse);
  const endAt = moment("endAt", options.endAt, refuse);
  if (startAt !== undefined && endAt !== undefined && endAt < startAt)
    refuse(
      `endAt: expected a time after startAt (${new Date(startAt).toISOString()}), got ${new Date(endAt).toISOString()}.`,
    );
  return {
    ...(cron !== undefined && { cron: checkCron(cron, known, refuse) }),
    ...(every !== undefined && { every }),
    timezone,
    ...(jitter > 0 && { jitter }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
  };
}

const MACROS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Of minute, hour, day of month, month and day of week. */
const MOST_STEPS = [59, 23, 31, 12, 7];

function checkCron(cron: unknown, { parseCron }: Known, refuse: Refuse): string {
  const expected = `cron: expected five fields (minute, hour, day of month, month, day of week), such as "0 8 * * 1-5"`;
  if (typeof cron !== "string" || cron.length > 200) return refuse(`${expected}, got ${told(cron)}.`);
  const fields = cron.trim().split(/\s+/);
  if (cron.trim().startsWith("@")) {
    const same = MACROS[cron.trim().toLowerCase()];
    return refuse(`${expected}, got ${told(cron)}.${same === undefined ? "" : ` Write "${same}".`}`);
  }
  if (fields.length === 6) refuse(`${expected}, got six: there are no seconds. Write "${fields.slice(1).join(" ")}".`);
  if (fields.length !== 5)
    refuse(`${expected}, got ${fields.length === 1 && fields[0] === "" ? "none" : fields.length}.`);
  for (const [i, field] of fields.entries()) {
    // The parser takes it, and never counts so far: `*/99` would fire at minute 0 of each hour.
    const step = Number(/\/(\d+)/.exec(field)?.[1] ?? 0);
    const most = MOST_STEPS[i] ?? 0;
    if (step > most)
      refuse(
        `${expected}, got ${told(cron)}: a step of ${step} in a field that counts to ${most}. For times that far apart there is \`every\`, in ms.`,
      );
  }
  // The parser's H means another time for each process.
  if (/(^|[\s,])H/.test(cron))
    refuse(`${expected}, got ${told(cron)}. For times that differ between schedules there is jitter.`);
  try {
    parseCron(fields.join(" "));
  } catch (error) {
    refuse(`${expected}, got ${told(cron)}: ${error instanceof Error ? error.message : "unreadable"}.`);
  }
  return fields.join(" ");
}

function checkCatchUp(given: ScheduleOptions["catchUp"], { keepMs }: Known, refuse: Refuse): Definition["catchUp"] {
  const { policy = "latest", within = Math.min(DAY_MS, keepMs) } =
    typeof given === "string" ? { policy: given } : (given ?? {});
  if (!CATCH_UPS.includes(policy))
    refuse(`catchUp: expected one of ${CATCH_UPS.join(", ")}, or { policy, within }, got ${told(given)}.`);
  if (!(Number.isSafeInteger(within) && within >= LEAST_EVERY_MS && within <= keepMs))
    refuse(
      `catchUp: within: expected ${LEAST_EVERY_MS} to ${keepMs} ms (createErrand's keepMs: so long it is remembered which runs were made), got ${told(within)}.`,
    );
  return { policy, within };
}

function moment(name: string, given: unknown, refuse: Refuse): number | undefined {
  if (given === undefined) return undefined;
  const ms = given instanceof Date ? given.getTime() : given;
  if (typeof ms === "number" && Number.isSafeInteger(ms) && ms >= 0 && ms <= LAST_MOMENT) return ms;
  const got = given instanceof Date ? "a Date that is none (Invalid Date)" : told(given);
  return refuse(
    `${name}: expected a Date, or whole milliseconds since 1970, such as Date.parse("2027-01-01"); on the command line and in files 2027-01-01T00:00:00Z. Got ${got}.`,
  );
}

function told(value: unknown): string {
  if (typeof value === "string") return value.length > 100 ? `${value.length} characters` : JSON.stringify(value);
  return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : typeof value;
}
