/** Lists of runs, newest first, by status, agent and identifier. The indexes are written by the scripts that change a run. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { ErrandError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { type ParkReason, type RunStatus, STATUSES } from "../core/run.ts";
import type { Store } from "./store.ts";

export interface RunFilter {
  readonly status?: RunStatus;
  readonly agent?: string;
  readonly identifier?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

const FILTER: OptionNames<RunFilter> = { status: true, agent: true, identifier: true, limit: true, cursor: true };

export interface RunSummary {
  readonly id: string;
  readonly status: RunStatus;
  readonly agent: string;
  readonly identifier: string;
  /** Of a parked run. */
  readonly reason?: ParkReason;
  /** Redis ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** There may be more. */
  readonly cursor?: string;
}

/** @throws ErrandError `option-invalid` */
export async function listRuns(store: Store, filter: RunFilter): Promise<RunPage> {
  checkOptionNames("runs", filter, FILTER);
  const { status, agent, identifier, limit = 50, cursor } = filter;
  if (status !== undefined && !STATUSES.includes(status))
    throw new ErrandError(
      "option-invalid",
      `runs: status: expected one of ${STATUSES.join(", ")}, got ${JSON.stringify(status)}.${didYouMean(String(status), STATUSES)}`,
    );
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new ErrandError(
      "option-invalid",
      `runs: limit: expected a whole number from 1 to 1000, got ${String(limit)}.`,
    );
  if (cursor !== undefined && !/^\d{1,16}$/.test(cursor))
    throw new ErrandError("option-invalid", "runs: cursor: expected the cursor of an earlier page.");

  // The most selective index there is; the other conditions are checked on each run's header.
  const index =
    identifier !== undefined
      ? `identifier:${identifier}`
      : agent !== undefined
        ? `agent:${agent}`
        : status !== undefined
          ? `status:${status}`
          : "all";
  const runs: RunSummary[] = [];
  let before = cursor === undefined ? "+inf" : `(${cursor}`;
  for (;;) {
    const page = await store.redis.zrange(
      `${store.prefix}runs:${index}`,
      before,
      "-inf",
      "BYSCORE",
      "REV",
      "LIMIT",
      0,
      limit,
      "WITHSCORES",
    );
    for (const [i, found] of (
      await headers(
        store,
        page.filter((_, at) => at % 2 === 0),
      )
    ).entries()) {
      before = `(${page[2 * i + 1] ?? ""}`;
      if (found !== undefined && matches(found, filter)) runs.push(found);
      if (runs.length === limit) return { runs, cursor: before.slice(1) };
    }
    if (page.length < 2 * limit) return { runs };
  }
}

function matches(run: RunSummary, { status, agent, identifier }: RunFilter): boolean {
  return (
    (status === undefined || run.status === status) &&
    (agent === undefined || run.agent === agent) &&
    (identifier === undefined || run.identifier === identifier)
  );
}

/** A run that expired a moment ago has no header any more. */
async function headers(store: Store, ids: readonly string[]): Promise<(RunSummary | undefined)[]> {
  const pipeline = store.redis.pipeline();
  for (const id of ids)
    pipeline.hmget(`${store.prefix}run:${id}`, "status", "agent", "identifier", "reason", "created", "updated");
  const replies = (await pipeline.exec()) ?? [];
  return ids.map((id, i) => {
    const [error, fields] = replies[i] ?? [];
    if (error !== null && error !== undefined) throw error;
    const [status, agent, identifier, reason, created, updated] = (fields ?? []) as (string | null)[];
    if (typeof status !== "string") return undefined;
    return {
      id,
      status: status as RunStatus,
      agent: agent ?? "",
      identifier: identifier ?? "",
      ...(reason !== null && reason !== undefined && { reason: reason as ParkReason }),
      createdAt: Number(created),
      updatedAt: Number(updated),
    };
  });
}
