/** `errand schedules …`: what fires when, what became of the last times, and what an operator can do about it. */
import type {
  Errand,
  HistoryLine,
  ScheduleDetail,
  ScheduleListFilter,
  ScheduleOptions,
  ScheduleView,
} from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { readInput } from "./input.ts";
import { type Cell, table } from "./table.ts";
import { count, duration, oneLine } from "./units.ts";

export interface ListArgs extends GlobalArgs, ScheduleListFilter {}

export interface UpsertArgs extends GlobalArgs {
  readonly identifier: string;
  readonly input?: string;
  readonly inputFile?: string;
  readonly cron?: string;
  readonly every?: number;
  readonly timezone?: string;
  readonly jitter?: number;
  readonly overlap?: string;
  readonly catchUp?: string;
  readonly coalesce?: boolean;
  readonly keepHistory?: number;
  readonly catchUpWithin?: number;
  readonly startAt?: Date;
  readonly endAt?: Date;
  readonly paused?: boolean;
  readonly tenant?: string;
  readonly priority?: number;
}

async function withErrand(args: GlobalArgs, io: Io, work: (errand: Errand) => Promise<number | void>): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    return (await work(errand)) ?? EXIT.ok;
  } finally {
    await errand.close();
  }
}

export function list(args: ListArgs, io: Io): Promise<number> {
  const { identifier, agent, limit, cursor } = args;
  return withErrand(args, io, async (errand) => {
    const page = await errand.schedules.list(given({ identifier, agent, limit, cursor }));
    if (args.json === true) return jsonLine(io.stdout, page);
    const rows = page.schedules.map((one) => rowOf(one, Date.now()));
    if (rows.length === 0) line(io.stderr, cursor === undefined ? "no schedules" : "no more schedules");
    else for (const text of table([HEAD, ...rows], painter(io.stdout))) line(io.stdout, text);
    if (page.cursor !== undefined) line(io.stderr, `more: --cursor ${page.cursor}`);
  });
}

const HEAD: readonly Cell[] = ["SCHEDULE", "AGENT", "IDENTIFIER", "WHEN", "ZONE", "NEXT"].map((text) => ({
  text,
  style: "dim",
}));

function rowOf(one: ScheduleView, now: number): Cell[] {
  const late = lateBy(one, now);
  const next = one.paused
    ? "paused"
    : one.nextAt === undefined
      ? "never again"
      : late > 0
        ? `late by ${duration(late)}`
        : `in ${duration((one.dueAt ?? 0) - now)}`;
  return [
    { text: oneLine(one.id) },
    { text: oneLine(one.agent) },
    { text: oneLine(one.identifier) },
    { text: one.words },
    { text: one.timezone },
    one.error === undefined
      ? { text: next, ...((one.paused || late > 0) && { style: "yellow" as const }) }
      : { text: `${next}, no run: ${oneLine(one.error).slice(0, 60)}`, style: "red" },
  ];
}

/** More than a pass over what is due takes: then nobody ticks, or not enough of it. */
const LATE_MS = 10_000;

/** ms by which its next tick should have fired already; 0 when it is in time. */
function lateBy({ dueAt }: ScheduleView, now: number): number {
  return dueAt !== undefined && now - dueAt > LATE_MS ? now - dueAt : 0;
}

export interface ShowArgs extends GlobalArgs {
  readonly next?: number;
  readonly history?: number;
}

export function show(id: string, args: ShowArgs, io: Io): Promise<number> {
  return withErrand(args, io, async (errand) => {
    const schedule = await errand.schedules.get(id);
    const next = await errand.schedules.next(id, { count: args.next ?? 5 });
    if (args.json === true) return jsonLine(io.stdout, { ...schedule, next });
    for (const text of detail(schedule, next, args.history ?? 20, Date.now())) line(io.stdout, text);
  });
}

function detail(one: ScheduleDetail, next: readonly number[], most: number, now: number): string[] {
  const [behind, { startAt, endAt, timezone }] = [lateBy(one, now), one];
  const past = one.history.slice(0, most);
  const late =
    one.jitter > 0 && one.dueAt !== undefined && one.nextAt !== undefined
      ? `, ${duration(one.dueAt - one.nextAt)} late on purpose`
      : "";
  return [
    `${oneLine(one.id)}: ${oneLine(one.agent)} for ${oneLine(one.identifier)}${one.paused ? ", paused" : ""}`,
    `${one.words} (${one.cron ?? `every ${one.every} ms`}, ${one.timezone}${late})`,
    `overlap ${one.overlap}, catch-up ${one.catchUp.policy} within ${duration(one.catchUp.within)}, ${one.coalesce ? "coalesces" : "does not coalesce"}`,
    ...(startAt === undefined ? [] : [`no time before ${when(startAt, timezone)}`]),
    ...(endAt === undefined ? [] : [`no time after ${when(endAt, timezone)}`]),
    ...(behind > 0 && one.error === undefined
      ? [`late: ${when(one.nextAt ?? 0, timezone)} was due ${duration(behind)} ago. Does a worker run that ticks?`]
      : []),
    ...(one.error === undefined ? [] : [`no run could be made: ${oneLine(one.error)}`]),
    ...(one.runs.length === 0 ? [] : [`runs: ${one.runs.join(" ")}`]),
    ...(one.buffered.length === 0
      ? []
      : [`waiting for a run to end: ${one.buffered.map((at) => when(at, one.timezone)).join(", ")}`]),
    ...(one.paused
      ? []
      : ["next:", ...(next.length === 0 ? ["  never again"] : next.map((at) => `  ${when(at, timezone)}`))]),
    "history, newest first:",
    ...(past.length === 0 ? ["  none"] : past.map((line) => `  ${historyText(line, one.timezone)}`)),
    ...(past.length < one.history.length ? [`  and ${one.history.length - past.length} more: --history`] : []),
  ];
}

function historyText(past: HistoryLine, zone: string): string {
  const many = past.first === undefined ? "" : `${when(past.first, zone)} to `;
  const times = past.count === undefined ? "" : ` (${count(past.count, "time")})`;
  const what =
    past.outcome === "skipped"
      ? `skipped: ${past.policy}`
      : past.outcome === "coalesced"
        ? `coalesced into ${when(past.into, zone)}`
        : `${past.outcome} ${past.run}`;
  return `${many}${when(past.nominal, zone)}  ${what}${times}`;
}

/** `2027-03-28 08:00:00 GMT+2`: in the schedule's own zone. */
function when(at: number, timeZone: string): string {
  const shown = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(at);
  const parts = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "shortOffset" }).formatToParts(at);
  return `${shown} ${parts.find((part) => part.type === "timeZoneName")?.value ?? ""}`;
}

export function upsert(id: string, agent: string, args: UpsertArgs, io: Io): Promise<number> {
  return withErrand(args, io, async (errand) => {
    const { cron, every, timezone, jitter, coalesce, keepHistory, paused, tenant, identifier, startAt, endAt } = args;
    const { catchUp: policy, catchUpWithin: within, priority } = args;
    const input =
      args.input === undefined && args.inputFile === undefined ? undefined : await readInput(args, io.stdin);
    // Wrong words and dates are told by the check that code meets as well.
    const options = given({
      input,
      cron,
      every,
      timezone,
      jitter,
      coalesce,
      keepHistory,
      paused,
      tenant,
      overlap: args.overlap,
      catchUp: within === undefined ? policy : given({ policy, within }),
      priority,
      startAt,
      endAt,
    });
    const schedule = await errand.schedules.upsert(id, agent, { identifier, ...options } as ScheduleOptions);
    if (args.json === true) return jsonLine(io.stdout, schedule);
    const next = schedule.nextAt === undefined ? "never" : when(schedule.nextAt, schedule.timezone);
    line(io.stdout, `${oneLine(schedule.id)}: ${schedule.words}, ${schedule.timezone}; next: ${next}`);
  });
}

export function setPaused(ids: readonly string[], paused: boolean, args: GlobalArgs, io: Io): Promise<number> {
  return withErrand(args, io, async ({ schedules }) => {
    for (const id of ids) {
      const schedule = await (paused ? schedules.pause(id) : schedules.resume(id));
      if (args.json === true) jsonLine(io.stdout, schedule);
      else line(io.stdout, `${oneLine(id)} ${paused ? "is paused" : "goes on"}`);
    }
  });
}

export function trigger(id: string, args: GlobalArgs & { readonly key?: string }, io: Io): Promise<number> {
  return withErrand(args, io, async ({ schedules }) => {
    const run = await schedules.trigger(id, given({ idempotencyKey: args.key }));
    if (args.json === true) jsonLine(io.stdout, { run: run.id });
    else line(io.stdout, run.id);
  });
}

export interface RemoveArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly agent?: string;
  readonly cancelRuns?: boolean;
}

/** One by its id, or all of a user's or an agent's. */
export function remove(ids: readonly string[], args: RemoveArgs, io: Io): Promise<number> {
  const { identifier, agent, cancelRuns = false } = args;
  return withErrand(args, io, async ({ schedules }) => {
    let deleted = 0;
    const unknown: string[] = [];
    for (const id of ids)
      if (await schedules.delete(id, { cancelRuns })) deleted++;
      else unknown.push(id);
    if (identifier !== undefined || agent !== undefined)
      deleted += (await schedules.deleteAll(given({ identifier, agent }), { cancelRuns })).deleted;
    if (args.json === true) jsonLine(io.stdout, { deleted, ...(ids.length > 0 && { unknown }) });
    else {
      line(io.stdout, `${count(deleted, "schedule")} deleted`);
      for (const id of unknown) line(io.stderr, `there is no schedule ${JSON.stringify(oneLine(id))}`);
    }
    return unknown.length > 0 ? EXIT.error : EXIT.ok;
  });
}
