/** Reading a run, and waiting for it: the journal is read, hints only say when (DESIGN §4, "Watching a run"). */
import type { Redis } from "ioredis";
import { ErrandError } from "../core/errors.ts";
import type { Decision } from "../core/journal.ts";
import { foldRun, type RunState } from "../core/state.ts";
import type { Evidence } from "../core/outcome.ts";
import { isFinal, type ParkReason, type RunStatus } from "../core/run.ts";
import { inOrder, settledEvent } from "../core/result-events.ts";
import { eventOf, type RunEvent } from "../core/run-events.ts";
import { type RunHeader, type RunView, viewRun } from "../core/view.ts";
import { decodeDecision, decodeEvidence, whyUnreadable } from "./codec.ts";
import type { Connection } from "./connect.ts";
import { decodeConnections } from "./events.ts";
import type { Store } from "./store.ts";
import type { Hints } from "./hints.ts";
import type { HeardWords } from "./words.ts";
import { toolResult, type ToolResult } from "./tool-result.ts";

export interface RunRecord extends RunHeader {
  readonly decisions: readonly Decision[];
  readonly evidence: readonly Evidence[];
  readonly state: RunState;
}

export interface EventsOptions {
  /** Default true. `false`: only what is written down by now. */
  readonly follow?: boolean;
  /** Default false. `true`: also what a model writes while it writes it (`turn.text`), if the agent streams. */
  readonly text?: boolean;
}

export interface RunReader {
  /** @throws ErrandError `run-unknown` */
  read(run: string): Promise<RunRecord>;
  view(run: string): Promise<RunView>;
  /** @throws ErrandError `run-unknown`, `call-unknown`, `result-missing`, `result-not-kept` */
  toolResult(run: string, call: string): Promise<ToolResult>;
  /** Resolves when the run has ended. @throws ErrandError `run-unknown`, `timeout` */
  ended(run: string, timeoutMs?: number): Promise<RunView>;
  /** All events from the first one, then new ones as they are written; ends with the run. */
  events(run: string, options?: EventsOptions): AsyncGenerator<RunEvent, void, void>;
}

/** @param reach tells failures of Redis in words */
export function createReader(store: Store, hints: Hints, reach: Connection["reach"]): RunReader {
  const read = (run: string): Promise<RunRecord> => reach(() => readRun(store, run));
  const view = async (run: string): Promise<RunView> => {
    const record = await read(run);
    return viewRun(record.state, record, record.decisions);
  };
  return {
    read,
    view,
    toolResult: (run, call) =>
      reach(async () => {
        const { state, evidence } = await readRun(store, run);
        return toolResult(store, state, evidence, call);
      }),
    ended: async (run, timeoutMs) => {
      const until = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
      const hint = await hints.watch(run);
      try {
        for (;;) {
          const status = await reach(() => store.redis.hget(`${store.prefix}run:${run}`, "status"));
          // Each step of the run is a hint: the whole journal is read only once, at its end, or to say that there is none.
          if (status === null || isFinal(status as RunStatus)) return await view(run);
          if (until?.aborted === true)
            throw new ErrandError(
              "timeout",
              `run ${run} did not end within ${timeoutMs} ms; it is ${status} and goes on.`,
            );
          await hint.next(until);
        }
      } finally {
        await hint.close();
      }
    },
    events: async function* (run, { follow = true, text = false } = {}) {
      let words: RunEvent[] = [];
      const onWords = (heard: HeardWords): void => {
        words.push({ run, type: "turn.text", ...heard });
      };
      const hint = follow ? await hints.watch(run, text ? onWords : undefined) : undefined;
      /** Once: a turn's words stand before its answer. */
      const spoken = (before?: RunEvent): RunEvent[] => {
        const all = words;
        const isOf = (one: RunEvent): boolean =>
          one.type === "turn.text" && before?.type === "turn.committed" && one.turn <= before.turn;
        words = before === undefined ? [] : all.filter((one) => !isOf(one));
        return before === undefined ? all : all.filter(isOf);
      };
      let told = 0;
      const settled = new Set<string>();
      try {
        for (;;) {
          const record = await read(run);
          const fresh = record.decisions.slice(told).flatMap((d) => eventOf(run, d) ?? []);
          const results = record.evidence.filter((e) => !settled.has(e.nonce));
          told = record.decisions.length;
          for (const e of results) settled.add(e.nonce);
          for (const event of inOrder(
            fresh,
            results.map((e) => settledEvent(run, e)),
          )) {
            yield* spoken(event);
            yield event;
          }
          if (record.state.ended !== undefined || hint === undefined) return;
          do yield* spoken();
          while (!(await hint.next()));
        }
      } finally {
        await hint?.close();
      }
    },
  };
}

async function readRun(store: Store, run: string): Promise<RunRecord> {
  const key = `${store.prefix}run:${run}`;
  const [[status, reason, supersededBy, needs], journal, evidence] = await readAtOnce(store.redis, key);
  if (typeof status !== "string")
    throw new ErrandError(
      "run-unknown",
      `There is no run ${JSON.stringify(run)}: it never was, or it ended longer ago than runs are kept.`,
    );
  const { decisions, settled, state } = fold(run, status, journal, Object.values(evidence));
  const header: RunHeader = {
    status: status as RunStatus,
    ...(typeof reason === "string" && { reason: reason as ParkReason }),
    ...(typeof needs === "string" && { needs: decodeConnections(needs) }),
    ...(typeof supersededBy === "string" && { supersededBy }),
  };
  return { ...header, decisions, evidence: settled, state };
}

interface Folded {
  readonly decisions: readonly Decision[];
  readonly settled: readonly Evidence[];
  readonly state: RunState;
}

/** @throws ErrandError `journal-unreadable` */
function fold(run: string, status: string, journal: readonly string[], evidence: readonly string[]): Folded {
  try {
    const decisions = journal.map(decodeDecision);
    const settled = evidence.map(decodeEvidence);
    return { decisions, settled, state: foldRun(run, decisions, settled) };
  } catch (error) {
    throw new ErrandError(
      "journal-unreadable",
      `run ${run} is ${status}, but its journal cannot be read: ${whyUnreadable(error)}. Was it written by a newer version of Errand, or by something else? Nothing is done with it; it can be cancelled.`,
    );
  }
}

/** One transaction, so that status and journal are of the same moment. */
async function readAtOnce(redis: Redis, key: string): Promise<[(string | null)[], string[], Record<string, string>]> {
  const replies = await redis
    .multi()
    .hmget(key, "status", "reason", "superseded-by", "needs")
    .lrange(`${key}:j`, 0, -1)
    .hgetall(`${key}:e`)
    .exec();
  const [header, journal, evidence] = (replies ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
  return [header as (string | null)[], journal as string[], evidence as Record<string, string>];
}
