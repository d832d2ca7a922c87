/** Writing down one tool result: its evidence, and the commit that names it, against two plain writes of the same bytes. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { agent } from "../../src/index.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import { pinoLog } from "../../src/queue/log.ts";
import { createProducer } from "../../src/queue/producer.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { openTickets } from "../../src/queue/tickets.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { pino } from "pino";
import { median, quantile } from "../floor/figures.ts";

export interface Append {
  readonly bytes: number;
  /** ms of evidence and commit together. */
  readonly p50: number;
  readonly p95: number;
  /** ms of HSET and RPUSH of the same texts. */
  readonly plainP50: number;
  /** Median over the appends of ours by the plain ones' next to it. */
  readonly ratio: number;
  /** MEMORY USAGE of evidence and decisions, per append. */
  readonly inRedis: number;
}

const SIZES = [1_000, 20_000, 200_000] as const;

const noter = agent({ name: "noter", model: "bench/none", instructions: "Note.", input: z.object({}) });

export async function appends(url: string, count: number): Promise<Append[]> {
  const connection = connect(url, true);
  const { redis } = connection;
  const name = `bench-${randomUUID().slice(0, 8)}`;
  const store = openStore(redis, name, DEFAULT_STORE);
  const tickets = openTickets(redis, store.prefix, pinoLog(pino({ level: "silent" })));
  const journal = redisJournal(store, tickets);
  const chance = { random: Math.random, nonce: () => randomUUID() };
  const producer = createProducer(store, tickets, chance);

  const measure = async (bytes: number): Promise<Append> => {
    const run = await producer.create(noter, { identifier: `bytes-${bytes}`, input: {} });
    const ticket = (await redis.hget(`${store.prefix}run:${run}`, "ticket")) ?? "";
    const claim = await journal.claim(run, { ticket, nonce: chance.nonce(), worker: "bench" });
    if (claim.answer !== "claimed") throw new Error(`append: the run is ${claim.answer}`);
    const data = "x".repeat(bytes);
    const append = async (i: number): Promise<void> => {
      const [call, nonce] = [`t${i}c0`, chance.nonce()];
      const outcome = { kind: "ok", data } as const;
      await journal.evidence(run, { nonce, call, tool: "read", argsHash: "hash", outcome, tookMs: 1 });
      const shown = [{ call, evidence: nonce }];
      const entries = [{ kind: "turn-requested", turn: i + 1, attempt: 1, final: false, shown } as const];
      const at = { run, epoch: claim.epoch, length: claim.decisions.length + i, nonce: chance.nonce() };
      const reply = await journal.commit({ ...at, entries, move: { to: "stay" } });
      if (reply.answer !== "ok") throw new Error(`append: ${reply.answer}`);
    };
    const plain = async (i: number): Promise<void> => {
      await redis.hset(`${store.prefix}plain:e`, String(i), JSON.stringify({ data }));
      await redis.rpush(`${store.prefix}plain:j`, JSON.stringify({ turn: i }));
    };
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let i = 0; i < count; i++) {
      ours.push(await timed(() => append(i)));
      theirs.push(await timed(() => plain(i)));
    }
    const keys = [":e", ":j"].map((part) => `${store.prefix}run:${run}${part}`);
    const used = await Promise.all(keys.map((key) => redis.memory("USAGE", key, "SAMPLES", 0)));
    await redis.unlink(`${store.prefix}plain:e`, `${store.prefix}plain:j`, ...keys);
    return {
      bytes,
      p50: median(ours),
      p95: quantile(ours, 0.95),
      plainP50: median(theirs),
      ratio: median(ours.map((ms, i) => ms / (theirs[i] ?? NaN))),
      inRedis: used.reduce<number>((sum, size) => sum + (size ?? 0), 0) / count,
    };
  };

  try {
    const found: Append[] = [];
    for (const bytes of SIZES) found.push(await measure(bytes));
    return found;
  } finally {
    await tickets.close();
    await connection.close();
    await removeKeys(url, name);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
