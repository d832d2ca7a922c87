/** A process that works: one BullMQ worker per queue, and the waker beside them. Starts only after its checks. */
import type { Agent } from "../core/agent.ts";
import type { Log } from "../ports/log.ts";
import { assertReachable, type Connection } from "./connect.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Outbox } from "./outbox.ts";
import type { Refill } from "./refill.ts";
import type { ShiftPorts } from "./shift.ts";
import type { SkewWatch } from "./skew.ts";
import type { Store } from "./store.ts";
import type { Waker } from "./waker.ts";
import { type QueueWorker, startQueueWorker } from "./worker.ts";

/** `starting`: checks are under way. `stopped`: a check failed, or it was closed. */
export type WorkerState = "starting" | "ready" | "draining" | "stopped";

export interface ErrandWorker {
  readonly state: WorkerState;
  /** ms by which this process's clock is ahead of Redis's, behind it below 0; none before it was looked at. More than 2 s is an alarm. */
  readonly clockSkewMs: number | undefined;
  /** Whether Redis answers now, within a second. */
  reachable(): Promise<boolean>;
  /** Resolves when it takes runs; rejects when a check failed, and then it never starts. @throws ErrandError */
  ready(): Promise<void>;
  /**
   * Takes no more runs, hands those under way back at their step's end, and closes. Safe to call twice.
   * @param timeoutMs after which steps under way are aborted; their runs go on elsewhere when the lease ends. Default 25 s. A second
   * later it stops whether or not Redis answers.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

export interface CrewOptions {
  readonly connection: Connection;
  readonly store: Store;
  readonly log: Log;
  /** None: it works no runs, whatever the queues. */
  readonly ports: ShiftPorts | undefined;
  /** None: other processes are the net. */
  readonly waker: Waker | undefined;
  /** None: other processes say the caps. */
  readonly refill: Refill | undefined;
  /** None: nobody listens here. */
  readonly outbox: Outbox | undefined;
  /** None: other processes fire schedules. */
  readonly heartbeat: Heartbeat | undefined;
  readonly skew: SkewWatch;
  readonly queues: readonly string[];
  /** All that this process knows. */
  readonly agents: readonly string[];
  readonly concurrency: number;
  readonly agentOf: (name: string) => Agent | undefined;
  /** Names and credentials, before the first run is taken. */
  readonly check: () => Promise<void>;
  /** Closes what the crew alone uses. */
  readonly release: () => Promise<void>;
}

/** For aborted steps to hand their runs back. If Redis is away they cannot, and BullMQ would wait for ever: the leases end anyway. */
const HAND_BACK_MS = 1_000;

export function startCrew(crew: CrewOptions): ErrandWorker {
  let workers: readonly QueueWorker[] = [];
  let closing: Promise<void> | undefined;
  let state: WorkerState = "starting";

  const started = (async () => {
    await assertReachable(crew.connection);
    await crew.check();
    if (closing !== undefined) return;
    const { ports, queues, concurrency, agentOf } = crew;
    crew.skew.start();
    await crew.refill?.start(crew.agents);
    if (ports !== undefined)
      workers = queues.map((queue) =>
        startQueueWorker(crew.store, crew.connection.redis, ports, { queue, concurrency, agentOf }),
      );
    crew.waker?.start();
    crew.outbox?.start();
    crew.heartbeat?.start();
    await Promise.all(workers.map((worker) => worker.ready()));
    if (state === "starting") state = "ready";
  })();
  // Whoever asks `ready()` gets the error; a caller that never asks finds it in the log.
  started.catch((error: unknown) => {
    state = "stopped";
    crew.log.error("worker.not-started", {
      error: error instanceof Error ? error.message.slice(0, 500) : "unknown",
    });
  });

  const close = async (timeoutMs: number): Promise<void> => {
    state = "draining";
    await started.catch(() => undefined);
    // At once: a look of the waker may wait for Scalekit, and meanwhile the workers would take more runs.
    const works = workers.map((worker) => worker.close(timeoutMs));
    crew.skew.close();
    const others = [crew.waker?.close(), crew.refill?.close(), crew.outbox?.close(), crew.heartbeat?.close()];
    await atMost(timeoutMs + HAND_BACK_MS, Promise.all([...others, ...works]));
    await crew.release();
    state = "stopped";
  };
  return {
    get state() {
      return state;
    },
    get clockSkewMs() {
      return crew.skew.skewMs;
    },
    reachable: () =>
      assertReachable(crew.connection, 1_000).then(
        () => true,
        () => false,
      ),
    ready: () => started,
    close: ({ timeoutMs = 25_000 } = {}) => (closing ??= close(timeoutMs)),
  };
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
