/** The measured rounds: how much a side does when it is busy, and how long one run takes when it is alone. */
import { setTimeout as after } from "node:timers/promises";
import type { Redis } from "ioredis";
import { ANSWER, person } from "./scene.ts";
import type { Side, Stage } from "./stage.ts";

export interface Busy {
  /** Per second, from the moment the queue opens until it is empty. */
  readonly runsPerSecond: number;
  /** ms of CPU per run, without enqueueing. */
  readonly workerCpuMs: number;
  /** ms of CPU per run, with enqueueing. */
  readonly redisCpuMs: number;
}

const LOOK_EVERY_MS = 5;
const ENQUEUED_AT_ONCE = 50;

/** All runs stand in the closed queue before the clock starts, so that who enqueues takes no CPU from who works. */
export async function busyRound(stage: Stage, side: Side, runs: number): Promise<Busy> {
  const queue = stage.queue(side);
  const redisBefore = await redisCpu(stage.redis);
  await queue.pause();
  for (let i = 0; i < runs; i += ENQUEUED_AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(ENQUEUED_AT_ONCE, runs - i) }, (_, j) => stage.enqueue(side, person(i + j))),
    );
  const before = await completed(stage, side);
  const cpuBefore = await stage.worker(side).order<number>("cpu");
  const started = performance.now();
  await queue.resume();
  await emptied(stage, side);
  const seconds = (performance.now() - started) / 1_000;
  const cpu = (await stage.worker(side).order<number>("cpu")) - cpuBefore;
  const done = (await completed(stage, side)) - before;
  if (done !== runs) throw new Error(`${side}: ${done} of ${runs} runs completed`);
  return {
    runsPerSecond: runs / seconds,
    workerCpuMs: cpu / 1_000 / runs,
    redisCpuMs: ((await redisCpu(stage.redis)) - redisBefore) / runs,
  };
}

/** ms for each run, one after another. */
export async function aloneRound(stage: Stage, side: Side, runs: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    const answer = await stage.whole(side, person(i));
    took.push(performance.now() - started);
    if (answer !== ANSWER) throw new Error(`${side}: expected the answer, got ${JSON.stringify(answer)}`);
  }
  return took;
}

/** Every ticket of ours and every job of the floor is gone when its work is done. */
async function emptied(stage: Stage, side: Side): Promise<void> {
  const { keys } = stage.queue(side);
  for (;;) {
    const [waiting, active] = await Promise.all([
      stage.redis.llen(keys["wait"] ?? ""),
      stage.redis.llen(keys["active"] ?? ""),
    ]);
    if (waiting + active === 0) return;
    await after(LOOK_EVERY_MS);
  }
}

/** The floor's worker counts its own; ours stand in an index. */
async function completed(stage: Stage, side: Side): Promise<number> {
  return side === "ours"
    ? stage.redis.zcard(`${stage.prefix}runs:status:completed`)
    : stage.worker(side).order<number>("completed");
}

/** ms of CPU of the Redis process so far. */
export async function redisCpu(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]);
  return (seconds("used_cpu_sys") + seconds("used_cpu_user")) * 1_000;
}
