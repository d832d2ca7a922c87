/** Parking and waking through a whole worker: its loop, its looks at Scalekit, BullMQ. One worker process with its defaults. */
import type { RunHandle } from "../../src/index.ts";
import { CONNECTION } from "./worker.ts";
import type { World } from "./world.ts";

export interface LoopRates {
  readonly runs: number;
  /** Runs a second from the first claim to the last park; each looks at its account, by a call of its own. */
  readonly parkPerSecond: number;
  /** Runs a second from the moment when the sweep's round is due until none waits; the first of them are worked meanwhile. */
  readonly wakePerSecond: number;
  /** Runs a second from the same moment until all are completed: tools listed, a model asked. */
  readonly donePerSecond: number;
}

/** @param world without a worker; this starts it */
export async function loopRates(world: World, users: number): Promise<LoopRates> {
  const waiting = await world.enqueue(users);
  await world.startWorker();
  await world.parked(users);
  for (const { identifier } of waiting) world.scalekit.connect(identifier, CONNECTION);
  const due = Date.now();
  await world.redis.zadd(`${world.prefix}looks`, 0, `sweep:${CONNECTION}`);
  await world.parked(0);
  const woken = Date.now();
  for (const { run } of waiting) await run.result({ timeoutMs: 120_000 });
  const moments = await Promise.all(waiting.map(({ run }) => momentsOf(run)));
  const of = (what: keyof Moments): number[] => moments.map((one) => one[what]);
  const perSecond = (from: number, to: number): number => (users / (to - from)) * 1_000;
  return {
    runs: users,
    parkPerSecond: perSecond(Math.min(...of("claimed")), Math.max(...of("parked"))),
    wakePerSecond: perSecond(due, woken),
    donePerSecond: perSecond(due, Math.max(...of("ended"))),
  };
}

interface Moments {
  readonly claimed: number;
  readonly parked: number;
  readonly ended: number;
}

async function momentsOf(run: RunHandle<string>): Promise<Moments> {
  let [claimed, parked, ended] = [NaN, NaN, NaN];
  for await (const { type, at } of run.events({ follow: false })) {
    if (type === "run.started" && Number.isNaN(claimed)) claimed = at;
    else if (type === "run.parked") parked = at;
    ended = at;
  }
  return { claimed, parked, ended };
}
