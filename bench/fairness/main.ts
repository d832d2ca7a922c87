/**
 * `npm run bench:fairness`: one user floods, others come. What it found: docs/figures.md.
 *
 * waits      ten others' ten runs each behind a flood, as a ratio to running alone; plain BullMQ beside it
 * meanwhile  many runs of one account are woken, or cancelled, at once while others enqueue: their waits meanwhile and before
 * throughput runs a second with a cap of as many as there are slots, by BullMQ's order without caps
 * hand-over  what the end of a run and the next one's slot cost Redis, by how many identifiers wait
 * idle       what identifiers leave behind that have nothing any more
 */
import { parseArgs } from "node:util";
import { startRedis } from "../../src/testing/index.ts";
import { rounded, table } from "../floor/figures.ts";
import { handOver, type Idle, idle } from "./hand-over.ts";
import { play, playPlain, type Scene, type Waits } from "./scenes.ts";
import { SLOTS, WORK_MS } from "./stage.ts";
import { type Rates, throughput } from "./throughput.ts";
import { cancelled, type Meanwhile, woken } from "./meanwhile.ts";

const { values } = parseArgs({
  options: {
    /** The flood's runs; the size is 10000. */
    flood: { type: "string", default: "200" },
    /** Identifiers that the sharded tenant spreads over. */
    shards: { type: "string", default: "1000" },
    /** Of `waits`, by their names; default all. */
    scene: { type: "string", multiple: true, default: [] },
    /** Runs that are woken or cancelled at once; the number is 10000. */
    many: { type: "string", default: "2000" },
    /** Of `meanwhile` and `throughput`. */
    rounds: { type: "string", default: "1" },
    /** Of `hand-over`: all have two turns in each round. */
    weighed: { type: "boolean", default: false },
    waiting: { type: "string", multiple: true, default: ["100", "10000"] },
    /** ms that a run of `throughput` takes; slots. */
    work: { type: "string", multiple: true, default: ["400"] },
    slots: { type: "string", multiple: true, default: [String(SLOTS)] },
    /** Idle identifiers without a tenant, and with one of a hundred; 0: none. */
    idle: { type: "string", default: "2000" },
    named: { type: "string", default: "2000" },
    only: { type: "string", multiple: true, default: ["waits", "meanwhile", "throughput", "hand-over", "idle"] },
  },
});
const wants = (part: string): boolean => values.only.includes(part);
const flood = Number(values.flood);
const shards = Number(values.shards);

const redis = await startRedis();
const figures: Record<string, unknown> = { flood, slots: SLOTS, workMs: WORK_MS };
try {
  if (wants("waits")) figures["waits"] = await allWaits();
  if (wants("meanwhile")) figures["meanwhile"] = await allMeanwhile();
  if (wants("throughput")) figures["throughput"] = await allRates();
  if (wants("hand-over")) figures["handOver"] = await allHandOvers();
  if (wants("idle")) figures["idle"] = await allIdle();
} finally {
  await redis.stop();
}
console.log(JSON.stringify(figures, (_, value: unknown) => (typeof value === "number" ? rounded(value) : value)));

async function allWaits(): Promise<Record<string, unknown>> {
  const full = { perIdentifier: SLOTS, maxLive: SLOTS };
  const scenes: Record<string, Scene> = {
    "cap 5": { flood, options: { perIdentifier: 5 } },
    "cap 50, no total": { flood, options: { perIdentifier: SLOTS } },
    "cap 50, 50 in all": { flood, options: full, drains: true },
    "cap 50, 50 in all, 30 % park": { flood, options: full, parks: 0.3 },
    [`a tenant of ${shards} identifiers`]: {
      flood,
      options: { perIdentifier: 5, maxLive: SLOTS },
      tenants: true,
      whose: (i) => ({ identifier: `shard_${i % shards}`, tenant: "flood" }),
    },
  };
  const found: Record<string, unknown> = {};
  const rows: string[][] = [];
  const tell = (name: string, one: Waits, alone: Waits): void => {
    const ratio = { p50: one.done50 / alone.done50, p99: one.done99 / alone.done99 };
    found[name] = { ...one, alone: { done50: alone.done50, done99: alone.done99 }, ratio };
    const ms = [one.p50, one.p99, one.done50, one.done99, alone.done50, alone.done99].map((it) => it.toFixed(0));
    rows.push([name, ...ms, ratio.p50.toFixed(2), ratio.p99.toFixed(2), one.perSecond?.toFixed(1) ?? "–"]);
  };
  // Code and connections that are used for the first time.
  await play(redis.url, { flood: SLOTS, options: {} });
  const isAsked = (name: string): boolean => values.scene.length === 0 || values.scene.includes(name);
  for (const [name, scene] of Object.entries(scenes)) {
    if (!isAsked(name)) continue;
    const alone = await play(redis.url, { ...scene, flood: 0, drains: false });
    tell(name, await play(redis.url, scene), alone);
  }
  if (isAsked("plain BullMQ")) tell("plain BullMQ", await playPlain(redis.url, flood), await playPlain(redis.url, 0));
  const free = { flood, options: { perIdentifier: 1_000_000 } };
  if (isAsked("no caps: BullMQ's order"))
    tell(
      "no caps: BullMQ's order",
      await play(redis.url, { ...free, drains: true }),
      await play(redis.url, { ...free, flood: 0 }),
    );
  const head = ["flood", "wait p50", "p99", "done p50", "p99", "alone p50", "p99", "ratio p50", "p99", "runs/s"];
  console.log(`\n${table([head, ...rows])}`);
  return found;
}

async function allMeanwhile(): Promise<unknown> {
  const found: Record<"woken" | "cancelled", Meanwhile[]> = { woken: [], cancelled: [] };
  for (let i = 0; i < Number(values.rounds); i++) {
    found.woken.push(await woken(redis.url, Number(values.many)));
    found.cancelled.push(await cancelled(redis.url, Number(values.many)));
  }
  const rows = Object.entries(found).flatMap(([name, all]) =>
    all.map(({ runs, doneMs, usEach, others, ...ms }) => [
      name,
      ...[runs, doneMs, usEach, others].map((it) => it.toFixed(0)),
      ...[ms.p50, ms.before50, ms.p99, ms.before99, ms.done99, ms.beforeDone99].map((it) => it.toFixed(1)),
      ...[ms.p99 / ms.before99, ms.done99 / ms.beforeDone99].map((it) => it.toFixed(2)),
    ]),
  );
  const head = [
    "at once",
    "runs",
    "in ms",
    "µs each",
    "others",
    "wait p50",
    "before",
    "p99",
    "before",
    "done p99",
    "before",
  ];
  console.log(`\n${table([[...head, "ratio wait p99", "done p99"], ...rows])}`);
  return found;
}

async function allRates(): Promise<unknown> {
  const found: Rates[] = [];
  for (const slots of values.slots)
    for (const workMs of values.work)
      found.push(await throughput(redis.url, Number(slots), Number(workMs), Number(values.rounds)));
  const rows = found.map(({ slots, workMs, perSecond: by, ...ratio }) => [
    ...[slots, workMs, by.plain, by.free, by.capped, by.inAll].map((it) => it.toFixed(0)),
    ...[ratio.capped, ratio.inAll, ratio.cappedWhole, ratio.inAllWhole, ratio.toPlain].map((it) => it.toFixed(2)),
  ]);
  const ratios = ["cap : none", "in all : none", "with enqueue", "with enqueue", "cap : plain"];
  console.log(`\n${table([["slots", "ms", "plain/s", "no cap/s", "cap/s", "in all/s", ...ratios], ...rows])}`);
  return found;
}

async function allHandOvers(): Promise<unknown> {
  const found = [];
  for (const count of values.waiting) found.push(await handOver(redis.url, Number(count), { weighed: values.weighed }));
  const rows = found.map(({ identifiers, us, commands }) => [String(identifiers), us.toFixed(1), String(commands)]);
  console.log(`\n${table([["identifiers that wait", "µs of Redis' CPU", "commands"], ...rows])}`);
  const all = found.map(({ us }) => us);
  return { found, mostToLeast: Math.max(...all) / Math.min(...all) };
}

async function allIdle(): Promise<unknown> {
  const found: Record<string, Idle> = {};
  const tell = async (name: string, count: number): Promise<void> => {
    if (count === 0) return;
    const one = (found[name] = await idle(redis.url, count, name === "with tenants"));
    const { bytes, tenantBytes, keys, before, after, seconds } = one;
    const costs = [before, after].map((it) =>
      it === undefined ? "–" : `${it.us.toFixed(0)} µs, ${it.commands} commands`,
    );
    console.log(
      `\n${count} idle identifiers ${name}, in ${seconds.toFixed(0)} s: ${bytes.toFixed(3)} bytes each (tenants: ${tenantBytes.toFixed(1)}); keys of all: ${keys.join(" ")}; a hand-over before: ${costs[0] ?? ""}, after: ${costs[1] ?? ""}`,
    );
  };
  await tell("without tenants", Number(values.idle));
  await tell("with tenants", Number(values.named));
  return found;
}
