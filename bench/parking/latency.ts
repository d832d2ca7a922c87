/**
 * How long a run waits on after its account is ACTIVE and that is known: until a worker has claimed it, and until its first step (the
 * model is asked) is written down, just before it is sent. All moments are this machine's wall clock: Redis' own, or ours beside it.
 */
import { setTimeout as after } from "node:timers/promises";
import { median, quantile } from "../floor/figures.ts";
import { CONNECTION } from "./worker.ts";
import { openWorld, type Waiting, type World } from "./world.ts";

export interface Latency {
  readonly wakes: number;
  /** ms to the claim. */
  readonly claim: Spread;
  /** ms to the first step: the claim, a look at the accounts, the list of tools, and a commit. */
  readonly step: Spread;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface SweepLatency extends Latency {
  readonly sweepMs: number;
  /** ms of the longest wait beyond `sweepMs`. */
  readonly beyond: number;
}

/** ms between two users who connect, on average; never in step with any timer. */
const APART_MS = 60;

/** By webhook: from the request's arrival at the handler. */
export function byWebhook(world: World, wakes: number): Promise<Latency> {
  return measure(world, wakes, {
    prepare: async () => undefined,
    connect: async ({ identifier }) => {
      world.scalekit.connect(identifier, CONNECTION);
      const at = Date.now();
      await world.webhook(identifier);
      return at;
    },
  });
}

/** By the user's return: from the moment when Scalekit, asked to verify the user, has made the account ACTIVE. */
export function byCallback(world: World, wakes: number): Promise<Latency> {
  const backs = new Map<string, string>();
  return measure(world, wakes, {
    prepare: async ({ identifier }) => void backs.set(identifier, await world.consent(identifier)),
    connect: async ({ identifier }) => {
      const closing = await world.visit(identifier, backs.get(identifier) ?? "");
      if (closing.status !== 200) throw new Error(`callback: ${closing.status}`);
      return world.scalekit.account(identifier, CONNECTION)?.updatedAt ?? NaN;
    },
  });
}

/** Nobody tells: from the moment when the account is ACTIVE at Scalekit. Users connect all through two rounds. */
export async function bySweep(sweepMs: number, wakes: number): Promise<SweepLatency> {
  const world = await openWorld({ sweepMs });
  try {
    await world.startWorker();
    const found = await measure(
      world,
      wakes,
      {
        prepare: async () => undefined,
        connect: async ({ identifier }) => world.scalekit.connect(identifier, CONNECTION).updatedAt,
      },
      (2 * sweepMs) / wakes,
    );
    return { sweepMs, ...found, beyond: found.claim.max - sweepMs };
  } finally {
    await world.close();
  }
}

interface Way {
  readonly prepare: (waiting: Waiting) => Promise<unknown>;
  /** → when it was known */
  readonly connect: (waiting: Waiting) => Promise<number>;
}

async function measure(world: World, wakes: number, way: Way, apartMs: number = APART_MS): Promise<Latency> {
  const waiting = await world.enqueue(wakes);
  await world.parked(wakes);
  for (const one of waiting) await way.prepare(one);
  const known: Promise<number>[] = [];
  for (const [i, one] of waiting.entries()) {
    await after(2 * apartMs * ((i * 0.618_034) % 1));
    known.push(way.connect(one));
  }
  const [claim, step]: [number[], number[]] = [[], []];
  for (const [i, one] of waiting.entries()) {
    const at = (await known[i]) ?? NaN;
    await one.run.result({ timeoutMs: 60_000 });
    const moments = await momentsOf(one);
    claim.push(moments.claim - at);
    step.push(moments.step - at);
  }
  return { wakes, claim: spread(claim), step: spread(step) };
}

async function momentsOf({ run }: Waiting): Promise<{ readonly claim: number; readonly step: number }> {
  let claim: number | undefined;
  let waited = false;
  for await (const event of run.events({ follow: false })) {
    if (event.type === "run.parked") waited = true;
    else if (event.type === "run.started" && waited) claim = event.at;
    else if (event.type === "turn.requested" && claim !== undefined) return { claim, step: event.at };
  }
  throw new Error(`run ${run.id} did not wait and go on`);
}

function spread(numbers: readonly number[]): Spread {
  return { p50: median(numbers), p99: quantile(numbers, 0.99), max: Math.max(...numbers) };
}
