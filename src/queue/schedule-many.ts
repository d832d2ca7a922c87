/** Many schedules at once: read and checked some hundred at a time, written side by side. */
import type { Agent } from "../core/agent.ts";
import { ErrandError, type ErrorCode } from "../core/errors.ts";
import type { Known, ScheduleOptions } from "../core/schedule/definition.ts";
import { define, put, type SchedulesPorts, type Wanted } from "./schedule-put.ts";
import { type KeptSchedule, readSchedules } from "./schedule-store.ts";

export type ManyOptions<Input = unknown> = ScheduleOptions<Input> & { readonly id: string };

export interface UpsertedMany {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Those that were refused, each with its place among all (from 0) and its reason; all others are written. */
  readonly refused: readonly RefusedSchedule[];
}

export interface RefusedSchedule {
  readonly at: number;
  readonly id: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface UpsertManyOptions {
  /** Everything is checked, and nothing is written: the answer says what would become of each. Default false. */
  readonly dryRun?: boolean;
  /** Told after each few hundred how far it is: what stands there is done, also when Redis is lost afterwards. */
  readonly onProgress?: (soFar: UpsertedMany) => void;
}

const AT_ONCE = 500;
const TRIES = 10;

export async function upsertMany(
  ports: SchedulesPorts,
  known: Known,
  agent: Agent,
  all: Iterable<ManyOptions> | AsyncIterable<ManyOptions>,
  { dryRun = false, onProgress }: UpsertManyOptions = {},
): Promise<UpsertedMany> {
  if (typeof all !== "object" || all === null || !(Symbol.iterator in all || Symbol.asyncIterator in all))
    throw new ErrandError(
      "option-invalid",
      `schedules: upsertMany: expected a list or an (async) iterable of { id, identifier, … }, got ${all === null ? "null" : typeof all}.`,
    );
  const sum: Sum = { created: 0, updated: 0, unchanged: 0, refused: [] };
  let begin = 0;
  for await (const chunk of chunks(all, AT_ONCE)) {
    await upsertChunk(ports, known, agent, { chunk, begin, dryRun }, sum);
    begin += chunk.length;
    onProgress?.(sum);
  }
  return sum;
}

/** @param attempt answers nothing when somebody else was faster */
export async function retried<T>(id: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < TRIES; tries++) {
    const done = await attempt();
    if (done !== undefined) return done;
  }
  throw new ErrandError("schedule-conflict", `schedule ${id} is being changed by others all the time; try again.`);
}

interface Sum {
  created: number;
  updated: number;
  unchanged: number;
  readonly refused: RefusedSchedule[];
}

interface Chunk {
  readonly chunk: readonly ManyOptions[];
  /** The place of its first among all. */
  readonly begin: number;
  readonly dryRun: boolean;
}

async function upsertChunk(
  ports: SchedulesPorts,
  known: Known,
  agent: Agent,
  { chunk, begin, dryRun }: Chunk,
  sum: Sum,
): Promise<void> {
  const wanted: (Wanted & { readonly at: number })[] = [];
  const refuse = (at: number, id: unknown, error: unknown): void => {
    if (!(error instanceof ErrandError)) throw error;
    sum.refused.push({ at, id: String(id).slice(0, 200), code: error.code, message: error.message });
  };
  for (const [i, given] of chunk.entries()) {
    const { id, ...options } = given ?? {};
    await define(ports.agents, known, agent, id, options).then(
      (one) => wanted.push({ ...one, at: begin + i }),
      (error: unknown) => refuse(begin + i, id, error),
    );
  }
  const { now, schedules } = await readSchedules(
    ports.store,
    wanted.map((one) => one.id),
  );
  const putOne = async (one: (typeof wanted)[number], before: KeptSchedule | undefined): Promise<void> => {
    try {
      const result = await put(ports, one, before, now, dryRun).then(
        (done) =>
          done ??
          retried(one.id, async () => {
            const again = await readSchedules(ports.store, [one.id]);
            return put(ports, one, again.schedules[0], again.now);
          }),
      );
      sum[result]++;
    } catch (error) {
      refuse(one.at, one.id, error);
    }
  };
  await Promise.all(wanted.map((one, i) => putOne(one, schedules[i])));
}

async function* chunks<T>(all: Iterable<T> | AsyncIterable<T>, most: number): AsyncGenerator<T[], void, void> {
  let chunk: T[] = [];
  for await (const one of all) {
    chunk.push(one);
    if (chunk.length < most) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
