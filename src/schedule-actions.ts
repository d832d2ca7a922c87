/** `errand.schedules`: schedules as an app's code sees them. */
import { checkOptionNames, type OptionNames } from "./core/option-names.ts";
import type { Agent, TypedAgent } from "./core/agent.ts";
import type { Agents } from "./core/agents.ts";
import { ErrandError } from "./core/errors.ts";
import { checkIdentifier } from "./core/identifier.ts";
import type { ScheduleOptions } from "./core/schedule/definition.ts";
import type { RunHandle } from "./queue/handle.ts";
import type { ManyOptions, UpsertedMany, UpsertManyOptions } from "./queue/schedule-many.ts";
import type {
  ScheduleDetail,
  ScheduleFilter,
  ScheduleListFilter,
  SchedulePage,
  Schedules,
  ScheduleTimes,
} from "./queue/schedules.ts";
import type { ScheduleView } from "./queue/schedule-view.ts";

export interface DeleteOptions {
  /** Also cancels its runs that have not ended; default false. */
  readonly cancelRuns?: boolean;
}

export interface TriggerOptions {
  /** The same key gives the same run. */
  readonly idempotencyKey?: string;
}

export interface ScheduleActions {
  /**
   * Defines the schedule, or changes it: from now on, and never for times that have been. Twice the same changes nothing, so an app may do
   * it at each start. A worker of any process fires it.
   * @param id 1 to 200 printable ASCII characters without spaces and colons; yours
   * @throws ErrandError `schedule-invalid`, `input-invalid`, `identifier-invalid`, `agent-unknown`, `schedule-conflict` (of another
   * identifier), `redis-…`
   */
  upsert<Given, Input, Output>(
    id: string,
    agent: TypedAgent<Given, Input, Output>,
    options: ScheduleOptions<Given>,
  ): Promise<ScheduleView>;
  upsert(id: string, agent: string, options: ScheduleOptions): Promise<ScheduleView>;
  /**
   * As `upsert`, for as many as there are. One that is wrong is told in the answer and stops no other. With `dryRun` nothing is written.
   * @throws ErrandError `redis-…`: those before are written, and doing it again changes nothing of them
   */
  upsertMany<Given, Input, Output>(
    agent: TypedAgent<Given, Input, Output>,
    all: Iterable<ManyOptions<Given>> | AsyncIterable<ManyOptions<Given>>,
    options?: UpsertManyOptions,
  ): Promise<UpsertedMany>;
  upsertMany(
    agent: string,
    all: Iterable<ManyOptions> | AsyncIterable<ManyOptions>,
    options?: UpsertManyOptions,
  ): Promise<UpsertedMany>;
  /** With what became of its last times, `keepHistory` lines (20 by default). @throws ErrandError `schedule-unknown` */
  get(id: string): Promise<ScheduleDetail>;
  /** By id. */
  list(filter?: ScheduleListFilter): Promise<SchedulePage>;
  /** Its times pass as skipped until `resume`. Runs go on. @throws ErrandError `schedule-unknown` */
  pause(id: string): Promise<ScheduleView>;
  /** @throws ErrandError `schedule-unknown` */
  resume(id: string): Promise<ScheduleView>;
  /** A run now, besides the schedule's times. The same key gives the same run. @throws ErrandError `schedule-unknown` */
  trigger(id: string, options?: TriggerOptions): Promise<RunHandle<unknown>>;
  /** Leaves nothing of it but the runs that it made. @returns false when it was not there */
  delete(id: string, options?: DeleteOptions): Promise<boolean>;
  /** All schedules of an identifier, of an agent (which need not exist any more), or of both. @throws ErrandError `option-invalid` */
  deleteAll(
    filter: ScheduleFilter,
    options?: DeleteOptions,
  ): Promise<{ readonly deleted: number; readonly cancelled: number }>;
  /**
   * The next nominal times, ms since 1970, of a schedule or of what may become one: what fires asks the same function.
   * @param options.count 1 to 1000, default 5. @param options.after default: now
   */
  next(
    of: string | ScheduleTimes,
    options?: { readonly count?: number; readonly after?: number },
  ): Promise<readonly number[]>;
}

export interface ScheduleActionPorts {
  readonly schedules: Schedules;
  readonly agents: Agents;
  readonly reach: <T>(work: () => Promise<T>) => Promise<T>;
  readonly handle: (run: string) => RunHandle<unknown>;
  readonly cancel: (run: string) => Promise<boolean>;
}

const MANY: OptionNames<UpsertManyOptions> = { dryRun: true, onProgress: true };
const DELETE: OptionNames<DeleteOptions> = { cancelRuns: true };
const TRIGGER: OptionNames<TriggerOptions> = { idempotencyKey: true };
const NEXT: OptionNames<{ count?: number; after?: number }> = { count: true, after: true };
const FILTER: OptionNames<ScheduleFilter> = { identifier: true, agent: true };

export function scheduleActions({ schedules, agents, reach, handle, cancel }: ScheduleActionPorts): ScheduleActions {
  const cancelEach = async (runs: readonly string[]): Promise<number> => {
    let cancelled = 0;
    for (const run of runs)
      // One that has expired meanwhile is not there any more.
      if (await cancel(run).catch((error: unknown) => gone(error))) cancelled++;
    return cancelled;
  };
  const remove = async (
    ids: readonly string[],
    options: DeleteOptions,
  ): Promise<{ deleted: number; cancelled: number }> => {
    checkOptionNames("schedules: delete", options, DELETE);
    const { cancelRuns = false } = options;
    const found = (await schedules.delete(ids)).filter((runs) => runs !== undefined);
    return { deleted: found.length, cancelled: cancelRuns ? await cancelEach(found.flat()) : 0 };
  };
  return {
    upsert: async (id: string, agent: Agent | string, options: ScheduleOptions) =>
      reach(async () => (await schedules.upsert(agents.need(agent), id, options)).schedule),
    upsertMany: async (
      agent: Agent | string,
      all: Iterable<ManyOptions> | AsyncIterable<ManyOptions>,
      options: UpsertManyOptions = {},
    ) => {
      checkOptionNames("schedules: upsertMany", options, MANY);
      return reach(() => schedules.upsertMany(agents.need(agent), all, options));
    },
    get: (id) => reach(() => schedules.get(id)),
    list: (filter = {}) => reach(() => schedules.list(filter)),
    pause: (id) => reach(() => schedules.setPaused(id, true)),
    resume: (id) => reach(() => schedules.setPaused(id, false)),
    trigger: async (id, options = {}) => {
      checkOptionNames("schedules: trigger", options, TRIGGER);
      return handle(await reach(() => schedules.trigger(id, options.idempotencyKey)));
    },
    delete: (id, options = {}) => reach(async () => (await remove([id], options)).deleted === 1),
    deleteAll: (filter, options = {}) =>
      reach(async () => {
        checkOptionNames("schedules: deleteAll", filter, FILTER);
        const { identifier, agent } = filter;
        if (identifier === undefined && agent === undefined)
          throw new ErrandError(
            "option-invalid",
            "schedules: deleteAll: expected an identifier, an agent, or both; got neither.",
          );
        if (identifier !== undefined) checkIdentifier(identifier);
        const sum = { deleted: 0, cancelled: 0 };
        for (;;) {
          const page = await schedules.list({ ...filter, limit: 1000 });
          if (page.schedules.length === 0) return sum;
          const done = await remove(
            page.schedules.map((one) => one.id),
            options,
          );
          sum.deleted += done.deleted;
          sum.cancelled += done.cancelled;
        }
      }),
    next: (of, options = {}) =>
      reach(async () => {
        checkOptionNames("schedules: next", options, NEXT);
        const { count = 5, after } = options;
        if (!Number.isInteger(count) || count < 1 || count > 1000)
          throw new ErrandError(
            "option-invalid",
            `schedules: next: count: expected a whole number from 1 to 1000, got ${String(count)}.`,
          );
        return schedules.next(of, count, after);
      }),
  };
}

function gone(error: unknown): false {
  if (error instanceof ErrandError && error.code === "run-unknown") return false;
  throw error;
}
