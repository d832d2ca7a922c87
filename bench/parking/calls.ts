/**
 * What the sweep asks of Scalekit for runs that wait: one round of it, as one is made every `sweepMs`, so with the default of a minute
 * these are calls a minute. The calls are real and counted by the emulator; the runs are parked by scripts.
 */
import { clock } from "../../src/parts.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { createWaker } from "../../src/queue/waker.ts";
import { createAccounts } from "../../src/scalekit/accounts.ts";
import { createScalekit } from "../../src/scalekit/client.ts";
import { type ScalekitEmulator, startRedis, startScalekitEmulator } from "../../src/testing/index.ts";
import { CONNECTION, person } from "../floor/scene.ts";
import { type Lot, openLot, silent } from "./lot.ts";

export interface Round {
  /** Accounts that runs wait for, and runs in all. */
  readonly accounts: number;
  readonly runs: number;
  /** Accounts that Scalekit has on this connection. */
  readonly environment: number;
  readonly calls: number;
  /** calls / (accounts / 100) */
  readonly perHundred: number;
  /** ms that the round took. */
  readonly took: number;
}

/**
 * @param each runs of one account; ascending
 * @param strangers in the last round, how many more accounts Scalekit has for each one that runs wait for; 0: no such round
 */
export async function rounds(accounts: number, each: readonly number[], strangers: number): Promise<Round[]> {
  const server = await startRedis();
  const lot = openLot(server.url);
  const found: Round[] = [];
  let runs = 0;
  const measure = async (more: number): Promise<void> => {
    const emulator = await environment(accounts, more);
    try {
      found.push({ ...(await oneRound(lot, emulator, accounts)), runs, environment: emulator.accounts.length });
    } finally {
      await emulator.close();
    }
  };
  try {
    for (const count of each) {
      await lot.park(accounts * count - runs, (i) => person(i % accounts));
      runs = accounts * count;
      await measure(0);
    }
    if (strangers > 0) await measure(strangers);
    return found;
  } finally {
    await lot.close();
    await server.stop();
  }
}

/** Nobody has connected yet; those that nobody waits for stand between the others. */
async function environment(accounts: number, strangers: number): Promise<ScalekitEmulator> {
  const emulator = await startScalekitEmulator({ connections: [{ name: CONNECTION, connector: "gmail" }] });
  for (let i = 0; i < accounts; i++) {
    for (let j = 0; j < strangers; j++) emulator.setStatus(`stranger-${i}-${j}`, CONNECTION, "PENDING_AUTH");
    emulator.setStatus(person(i), CONNECTION, "PENDING_AUTH");
  }
  return emulator;
}

async function oneRound(
  lot: Lot,
  emulator: ScalekitEmulator,
  accounts: number,
): Promise<Pick<Round, "accounts" | "calls" | "perHundred" | "took">> {
  const { url: envUrl, clientId, clientSecret } = emulator;
  // A client of its own for each round: what it learned of the last one would make this one cheaper.
  const scalekit = createScalekit({ envUrl, clientId, clientSecret }, clock);
  const gatekeeper = createGatekeeper(lot.gates, createAccounts(scalekit), silent);
  const waker = createWaker(lot.store, lot.tickets, gatekeeper, silent, 500);
  try {
    // All are in this round, and it is due: the rounds themselves are the product's.
    const { redis, prefix } = lot.store;
    const gates = await redis.zrange(`${prefix}sweep:${CONNECTION}`, "0", "-1");
    for (let i = 0; i < gates.length; i += 1_000)
      await redis.zadd(`${prefix}sweep:${CONNECTION}`, ...gates.slice(i, i + 1_000).flatMap((gate) => [0, gate]));
    await redis.zadd(`${prefix}looks`, 0, `sweep:${CONNECTION}`);
    emulator.calls.clear();
    const started = performance.now();
    await waker.pass();
    await waker.idle();
    const took = performance.now() - started;
    const calls = emulator.calls.count("ListConnectedAccounts");
    if (calls === 0) throw new Error("the round made no call");
    return { accounts, calls, perHundred: calls / (accounts / 100), took };
  } finally {
    await waker.close();
    await scalekit.close();
  }
}
