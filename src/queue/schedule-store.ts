/** Schedules as they stand in Redis: read, and written in one step by whoever has read what stands there. */
import { ErrandError } from "../core/errors.ts";
import type { Make } from "../core/schedule/decide.ts";
import { type Definition, HISTORY_KEPT } from "../core/schedule/definition.ts";
import type { Buffered, LiveRun, Outcome, Past, ScheduleState } from "../core/schedule/state.ts";
import { decodeTickets } from "./codec.ts";
import type { OverBound } from "./enqueue-bounds.ts";
import { SCHEDULE_DELETE } from "./scripts/schedule-delete.ts";
import { SCHEDULE_READ, SCHEDULE_TAKE } from "./scripts/schedule-read.ts";
import { SCHEDULE_WRITE } from "./scripts/schedule-write.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export interface KeptSchedule {
  readonly id: string;
  /** Of the last change. */
  readonly rev: string;
  /** How its runs stood, as the script that writes compares it. */
  readonly seen: string;
  readonly definition: Definition;
  readonly state: ScheduleState;
  /** Why its last tick could not make its run. It is tried again. */
  readonly error?: string;
  readonly fails: number;
  /** Redis ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What is read at one moment. */
export interface ReadSchedules {
  /** Redis ms. */
  readonly now: number;
  readonly schedules: readonly (KeptSchedule | undefined)[];
}

/** An outcome as it stands in the history. `at`: Redis ms when it was written. */
export type HistoryLine = Outcome & { readonly at: number };

/** A run to create: what `create` is given, and what its line in the history says. */
export interface ToMake extends Make {
  readonly args: readonly (string | number)[];
  readonly triggered?: true;
}

export interface Change {
  readonly id: string;
  /** None: it must not be there. */
  readonly before: KeptSchedule | undefined;
  /** Unique; the change that is sent twice with it is made once. */
  readonly nonce: string;
  /** None: it stays. */
  readonly definition?: Definition;
  readonly state: Omit<ScheduleState, "runs">;
  /** Redis ms of its next tick. */
  readonly due: number | undefined;
  readonly makes?: readonly ToMake[];
  readonly cancels?: readonly string[];
  readonly outcomes?: readonly Outcome[];
  readonly error?: string;
}

/** `changed`: somebody else has changed it, or one of its runs has moved: read again. `refused`: no run could be created. */
export type Written =
  | { readonly answer: "ok"; readonly at: number; readonly runs: readonly string[] }
  | { readonly answer: "changed" | "gone" }
  | { readonly answer: "refused"; readonly why: string }
  /** So many of its runs may be made by a budget of `whose`; none was, and nothing was written. */
  | ({ readonly answer: "full"; readonly room: number } & OverBound);

export async function readSchedules(store: Store, ids: readonly string[]): Promise<ReadSchedules> {
  return decodeRead(await store.run(SCHEDULE_READ, ...ids));
}

/** Those that are due, for this caller alone for `forMs`. */
export async function takeSchedules(store: Store, most: number, forMs: number): Promise<ReadSchedules> {
  return decodeRead(await store.run(SCHEDULE_TAKE, most, forMs));
}

export async function writeSchedule(store: Store, tickets: Tickets, change: Change): Promise<Written> {
  const { id, before, nonce, makes = [] } = change;
  const runs = makes.map((make) => JSON.stringify([String(make.since), ...make.args]));
  const [answer, at, what, ...made] = await store.run(
    SCHEDULE_WRITE,
    id,
    before?.rev ?? "",
    nonce,
    JSON.stringify(encodeChange(change)),
    ...runs,
  );
  if (answer === "changed" || answer === "gone") return { answer };
  if (answer === "full") {
    const [is, used] = made;
    return { answer, whose: String(at), room: Number(what), is: is === "parked" ? is : "runs", used: Number(used) };
  }
  if (answer === "refused") return { answer, why: `${String(at)} ${String(what)}`.trim() };
  await tickets.add(decodeTickets(made));
  return { answer: "ok", at: Number(at), runs: String(what).split(" ").filter(Boolean) };
}

/** @returns the runs of each that have not ended; nothing for one that is not there */
export async function deleteSchedules(
  store: Store,
  ids: readonly string[],
): Promise<(readonly string[] | undefined)[]> {
  const deleted = await store.run(SCHEDULE_DELETE, ...ids);
  return deleted.map((text) => (text === "" ? undefined : String(text).split(" ").slice(1).filter(Boolean)));
}

export async function readHistory(store: Store, id: string): Promise<HistoryLine[]> {
  const lines = await store.redis.lrange(`${store.prefix}schedule:${id}:h`, 0, -1);
  return lines.map((line) => JSON.parse(line) as HistoryLine).reverse();
}

function encodeChange({
  before,
  definition,
  state,
  due,
  makes = [],
  cancels = [],
  outcomes = [],
  error,
}: Change): object {
  const given = makes.flatMap((make) => make.supersedes);
  const kept = before?.state.runs.filter((run) => !given.includes(run.id)) ?? [];
  const made = makes.map((make, i) => ({
    nominal: make.nominal,
    outcome: make.triggered === true ? "triggered" : "enqueued",
    make: i + 1,
  }));
  const optional = {
    ...(state.paused && { paused: "1" }),
    ...(state.past.length > 0 && { past: JSON.stringify(state.past) }),
    ...(state.buffer.length > 0 && { buffer: JSON.stringify(state.buffer) }),
    ...(error !== undefined && { error: error.slice(0, 500), fails: String((before?.fails ?? 0) + 1) }),
  };
  return {
    seen: before?.seen ?? "",
    set: {
      cursor: String(state.cursor),
      since: String(state.since),
      ...optional,
      ...(definition !== undefined && encodeDefinition(definition)),
    },
    del: ["paused", "past", "buffer", "error", "fails"].filter((field) => !(field in optional)),
    due: due === undefined ? "" : String(Math.max(0, due)),
    keep: kept.map((run) => `${run.id}:${run.since}`).join(" "),
    history: [...outcomes, ...made].toSorted((a, b) => a.nominal - b.nominal),
    most: (definition ?? before?.definition)?.keepHistory ?? HISTORY_KEPT,
    giveWay: given,
    cancel: cancels,
    into: makes.find((make) => make.supersedes.length > 0)?.nominal ?? 0,
    ...(definition !== undefined && { agent: definition.agent, identifier: definition.identifier }),
  };
}

function encodeDefinition({ agent, identifier, ...others }: Definition): Readonly<Record<string, string>> {
  return { agent, identifier, def: JSON.stringify(others) };
}

function decodeRead([now, ...shown]: readonly unknown[]): ReadSchedules {
  return {
    now: Number(now),
    schedules: shown.map((one) => (Array.isArray(one) ? decode(one.map(String)) : undefined)),
  };
}

function decode([id = "", seen = "", ...flat]: readonly string[]): KeptSchedule | undefined {
  if (flat.length === 0) return undefined;
  const of = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) of.set(flat[i] ?? "", flat[i + 1] ?? "");
  const { agent = "", identifier = "", def = "{}", error } = Object.fromEntries(of);
  const list = (field: string): unknown[] => JSON.parse(of.get(field) ?? "[]") as unknown[];
  return {
    id,
    rev: of.get("rev") ?? "",
    seen,
    definition: { ...(JSON.parse(def) as Omit<Definition, "agent" | "identifier">), agent, identifier },
    state: {
      cursor: Number(of.get("cursor")),
      since: Number(of.get("since")),
      paused: of.get("paused") === "1",
      past: list("past") as Past[],
      buffer: list("buffer") as Buffered[],
      runs: decodeRuns(of.get("runs") ?? "", seen),
    },
    ...(error !== undefined && { error }),
    fails: Number(of.get("fails") ?? 0),
    createdAt: Number(of.get("created")),
    updatedAt: Number(of.get("updated")),
  };
}

/** Those that have not ended. */
function decodeRuns(text: string, seen: string): LiveRun[] {
  return text
    .split(" ")
    .filter(Boolean)
    .flatMap((word, i): LiveRun[] => {
      const [id = "", since = ""] = word.split(":");
      if (seen[i] === "-") return [];
      return [{ id, since: Number(since), is: seen[i] === "w" ? "waits" : "busy" }];
    });
}

export function unknownSchedule(id: string): ErrandError {
  return new ErrandError("schedule-unknown", `There is no schedule ${JSON.stringify(id)}.`);
}
