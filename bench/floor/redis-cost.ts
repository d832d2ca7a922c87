/** What runs cost Redis: commands per run and whose they are, and bytes per run in each state. */
import { setTimeout as after } from "node:timers/promises";
import type { Redis } from "ioredis";
import { type Child, startChild } from "./child.ts";
import { median } from "./figures.ts";
import { busyRound } from "./rounds.ts";
import { person } from "./scene.ts";
import type { Side, Stage } from "./stage.ts";

export interface Commands {
  /** Commands that clients sent, and those that scripts made; per run. */
  readonly sent: { readonly ours: number; readonly bullmq: number };
  readonly inScripts: { readonly ours: number; readonly bullmq: number };
}

/** By MONITOR: a script's own commands follow the command that called it. BullMQ's keys stand below ours, as `…:q:…`. */
export async function countCommands(stage: Stage, side: Side, runs: number): Promise<Commands> {
  const sent = { ours: 0, bullmq: 0 };
  const inScripts = { ours: 0, bullmq: 0 };
  let last: "ours" | "bullmq" | undefined;
  const monitor = await stage.redis.monitor();
  monitor.on("monitor", (_at: string, words: string[], source: string) => {
    if (source !== "lua") last = ownerOf(words, stage.prefix);
    if (last !== undefined) (source === "lua" ? inScripts : sent)[last]++;
  });
  try {
    await busyRound(stage, side, runs);
  } finally {
    monitor.disconnect();
  }
  const each = ({ ours, bullmq }: typeof sent) => ({ ours: ours / runs, bullmq: bullmq / runs });
  return { sent: each(sent), inScripts: each(inScripts) };
}

/** Nobody's: what the benchmark itself asks. */
function ownerOf(words: readonly string[], prefix: string): "ours" | "bullmq" | undefined {
  const name = words[0]?.toLowerCase() ?? "";
  if (["llen", "zcard", "info", "client", "monitor", "ping", "hello"].includes(name)) return undefined;
  const key = words.find((word) => word.startsWith(prefix)) ?? "";
  if (key === "") return undefined;
  return key.startsWith(`${prefix}q:`) || key.startsWith(`${prefix}floor:`) ? "bullmq" : "ours";
}

export interface Bytes {
  /** MEMORY USAGE of the run's own keys; median. */
  readonly keys: number;
  /** What `used_memory` grew by, per run: with indexes, places, the ticket and the allocator's rounding. */
  readonly all: number;
}

export type State = "queued" | "parked" | "live" | "finished";

/** Runs of one identifier: as many as may be live at once. */
const EACH = 5;

/** @param runs in each state at once */
export async function weigh(stage: Stage, runs: number): Promise<Record<State, Bytes>> {
  const crowd: Child = startChild("./worker-ours.ts");
  try {
    await crowd.order("start", { options: stage.options, concurrency: runs });
    const parking = await enqueueAll(stage, runs, (i) => `nobody-${Math.floor(i / EACH)}`);
    const queued = await parking.weigh();
    await stage.queue("ours").resume();
    await reached(stage, "parked", runs);
    const parked = await parking.weigh();

    await stage.model.order("hold");
    const working = await enqueueAll(stage, runs, (i) => person(Math.floor(i / EACH)));
    await stage.queue("ours").resume();
    while ((await stage.model.order<number>("held")) < runs) await after(20);
    const live = await working.weigh();
    const before = await stage.redis.zcard(`${stage.prefix}runs:status:completed`);
    await stage.model.order("release");
    await reached(stage, "completed", before + runs);
    return { queued, parked, live, finished: await working.weigh() };
  } finally {
    await crowd.stop();
  }
}

/** Leaves the queue closed. */
async function enqueueAll(
  stage: Stage,
  runs: number,
  identifier: (i: number) => string,
): Promise<{ weigh(): Promise<Bytes> }> {
  await stage.queue("ours").pause();
  const before = await usedMemory(stage.redis);
  const ids: string[] = [];
  for (let i = 0; i < runs; i++) ids.push(await stage.enqueue("ours", identifier(i)));
  return {
    weigh: async () => {
      const all = ((await usedMemory(stage.redis)) - before) / runs;
      const sample = ids.filter((_, i) => i % Math.ceil(runs / 50) === 0);
      return { keys: median(await Promise.all(sample.map((id) => keysOf(stage, id)))), all };
    },
  };
}

async function keysOf({ redis, prefix }: Stage, id: string): Promise<number> {
  const keys = ["", ":j", ":e"].map((part) => `${prefix}run:${id}${part}`);
  const sizes = await Promise.all(keys.map((key) => redis.memory("USAGE", key, "SAMPLES", 0)));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** Buffers of clients come and go: the least of some looks. */
export async function usedMemory(redis: Redis): Promise<number> {
  const seen: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [info, clients] = [await redis.info("memory"), await redis.client("LIST")];
    const buffers = [...String(clients).matchAll(/tot-mem=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
    const aof = Number(/^mem_aof_buffer:(\d+)/m.exec(info)?.[1]);
    seen.push(Number(/^used_memory:(\d+)/m.exec(info)?.[1]) - buffers - aof);
    await after(50);
  }
  return Math.min(...seen);
}

async function reached(stage: Stage, status: string, runs: number): Promise<void> {
  while ((await stage.redis.zcard(`${stage.prefix}runs:status:${status}`)) < runs) await after(20);
}
