/** What must hold once the actors have done all their steps and the net has run: the story that the journals tell. */
import type { Decision } from "../../src/core/journal.ts";
import { decodeDecision } from "../../src/queue/codec.ts";
import { nobody, pass, shift } from "./actors.ts";
import { Broken } from "./broken.ts";
import { EXPIRES_MS, LEASE_MS, SWEEP_MS, type World } from "./world.ts";

/**
 * R1 Who was looked at by somebody that opens gates, or told of by a webhook, since it became ACTIVE, keeps no run waiting: no sweep is
 *    needed. R2 Whatever was lost, one round later no run waits for an ACTIVE account. R3 A run that waits is parked for its account,
 *    and one round after the account became ACTIVE it goes on. R4 see `checkStory`.
 */
export async function settle(world: World, afterStep: () => Promise<void>): Promise<void> {
  await workAll(world, afterStep);
  if (world.told.size > 0) {
    await pass(world, nobody, 1_000);
    await workAll(world, afterStep);
  }
  const all = (connections: readonly string[]): boolean => connections.every((name) => world.heard.has(name));
  if (world.isActive && all(world.connections))
    for (const [run, place] of await places(world))
      if (place === "gate") throw new Broken(`${run} waits, although its opening was seen to`);

  await net(world, LEASE_MS, afterStep);
  const waiting = (await places(world)).filter(([, place]) => place !== "none");
  for (const [run, place] of waiting) {
    if (world.isActive) throw new Broken(`${run} is at ${place}, although its account is ACTIVE and a round is over`);
    if (place !== "gate") throw new Broken(`${run} is at ${place}, although there is nothing to do`);
    if (world.cancels.some((it) => it.run === run)) throw new Broken(`${run} was cancelled, and waits`);
  }
  for (const [run] of waiting) await checkWaiting(world, run);
  if (world.wereActive.size < world.connections.length && world.lapses === 0)
    for (const run of world.runs) checkWoken(run, await journal(world, run));
  if (waiting.length > 0) {
    for (const connection of world.connections) world.set(connection, "ACTIVE");
    await net(world, SWEEP_MS, afterStep);
  }
  for (const run of world.runs) checkStory(world, run, await journal(world, run));
}

/** What is due is seen to, and all tickets are worked. */
async function net(world: World, afterMs: number, afterStep: () => Promise<void>): Promise<void> {
  await pass(world, nobody, afterMs);
  await afterStep();
  await workAll(world, afterStep);
}

async function workAll(world: World, afterStep: () => Promise<void>): Promise<void> {
  for (let most = 20 * world.runs.length; world.queue.length > 0; most--) {
    if (most === 0) throw new Broken("tickets without end");
    await shift(world, nobody);
    await afterStep();
  }
}

async function places({ redis, store, runs }: World): Promise<(readonly [run: string, place: string])[]> {
  const found = await Promise.all(runs.map((run) => redis.hget(`${store.prefix}run:${run}`, "place")));
  return runs.map((run, i) => [run, found[i] ?? ""] as const);
}

async function journal({ redis, store }: World, run: string): Promise<readonly Decision[]> {
  return (await redis.lrange(`${store.prefix}run:${run}:j`, 0, -1)).map(decodeDecision);
}

/** It has not waited too long. */
async function checkWaiting(world: World, run: string): Promise<void> {
  const since = (await journal(world, run)).find((it) => it.kind === "parked")?.at ?? Infinity;
  if (!world.everActive && (await world.now()) > since + EXPIRES_MS)
    throw new Broken(`${run} waits, although its time is over`);
}

function checkStory(world: World, run: string, decisions: readonly Decision[]): void {
  const broken = (what: string): never => {
    throw new Broken(`${run} ${what}: ${decisions.map(({ kind }) => kind).join(" ")}`);
  };
  const ends = decisions.filter((it) => it.kind === "ended");
  const [end] = ends;
  if (end === undefined || ends.length > 1 || decisions.at(-1) !== end) return broken("has not ended once and for all");
  if (decisions.some(({ epoch }, i) => epoch < (decisions[i - 1]?.epoch ?? 0)))
    broken("was worked by a worker that lost it");

  checkSeen(world, run, decisions, broken);
  const asked = world.asked.filter((it) => it === run).length;
  if (asked > 1 + world.lapses) broken(`asked the model ${asked} times`);

  const cancelled = world.cancels.find((it) => it.run === run);
  switch (end.status) {
    case "completed":
      // When its worker has the answer already, only the end is left to be written down.
      if (cancelled?.asked === false) broken("was cancelled, and went on");
      break;
    case "cancelled":
      if (cancelled === undefined) broken("ended as cancelled, and nobody cancelled it");
      break;
    case "expired":
      checkExpired(decisions, end, broken);
      break;
    case "failed":
      broken("failed");
  }
}

function checkExpired(decisions: readonly Decision[], end: Decision, broken: (what: string) => void): void {
  const since = decisions.find((it) => it.kind === "parked")?.at;
  if (since === undefined || end.at < since + EXPIRES_MS) broken("expired too early");
}

/** Nothing is asked of the model but by who has looked since the last park, or was told so by one who had, and saw all of them ACTIVE. */
function checkSeen(world: World, run: string, decisions: readonly Decision[], broken: (what: string) => void): void {
  let prepared = false;
  for (const { kind, epoch } of decisions) {
    if (kind === "parked") prepared = false;
    if (kind === "turn-requested" && !prepared) broken("asked the model without looking at its accounts");
    if (kind !== "prepared") continue;
    prepared = true;
    if (world.saw.get(`${run} ${epoch}`)?.every(({ status }) => status === "ACTIVE") !== true)
      broken("went on before its worker had seen its accounts ACTIVE");
  }
}

/**
 * As long as its account was never ACTIVE, nobody takes a run that waits but to end it. Only a worker that stood still beyond its lease
 * may have parked it with an expiry that is over too early; then it is taken once for nothing.
 */
function checkWoken(run: string, decisions: readonly Decision[]): void {
  for (const [i, { kind }] of decisions.entries()) {
    if (kind !== "parked") continue;
    const next = decisions.slice(i + 1).find((it) => it.kind !== "leased") ?? decisions[i + 1];
    if (next !== undefined && next.kind !== "ended")
      throw new Broken(
        `${run} was woken, although its account was never ACTIVE: ${decisions.map((it) => it.kind).join(" ")}`,
      );
  }
}
