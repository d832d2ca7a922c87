/** A wake of one account while few or many others wait: which keys it touches, and how many commands it takes. */
import { clock } from "../../src/parts.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { redisLooks } from "../../src/queue/looks.ts";
import { createWaker } from "../../src/queue/waker.ts";
import { createAccounts } from "../../src/scalekit/accounts.ts";
import { createScalekit } from "../../src/scalekit/client.ts";
import { startRedis, startScalekitEmulator } from "../../src/testing/index.ts";
import { CONNECTION, deskAgent, person } from "../floor/scene.ts";
import { gateOf, openLot, silent } from "./lot.ts";
import { foreign, touchedBy } from "./neighbours.ts";

export interface OneWake {
  readonly by: "callback" | "webhook";
  /** Other accounts that runs wait for, one run each. */
  readonly neighbours: number;
  readonly commands: number;
  readonly keys: readonly string[];
  /** Of others: there must be none. */
  readonly foreign: readonly string[];
}

/** Of the account that wakes. */
const RUNS = 3;

export async function oneWake(neighbours: number): Promise<OneWake[]> {
  const server = await startRedis();
  const emulator = await startScalekitEmulator({ connections: [{ name: CONNECTION, connector: "gmail" }] });
  const { url: envUrl, clientId, clientSecret } = emulator;
  const scalekit = createScalekit({ envUrl, clientId, clientSecret }, clock);
  const lot = openLot(server.url);
  const { store, tickets } = lot;
  const gatekeeper = createGatekeeper(lot.gates, createAccounts(scalekit), silent);
  const waker = createWaker(store, tickets, gatekeeper, silent, 500);
  const wake = {
    callback: (identifier: string) => gatekeeper.lookAt(identifier, CONNECTION, true),
    webhook: async (identifier: string) => {
      await redisLooks(store).ask({ identifier, connection: CONNECTION }, `of ${identifier}`);
      await waker.pass();
      await waker.idle();
    },
  };
  try {
    const others = await lot.park(neighbours, person);
    const names = [...others.runs, ...others.runs.map((_, i) => person(i))];
    const found: OneWake[] = [];
    // The first two make the scripts known.
    for (const [identifier, by] of [
      ["yan", "callback"],
      ["zoe", "webhook"],
      ["ann", "callback"],
      ["bea", "webhook"],
    ] as const) {
      const { runs } = await lot.park(RUNS, () => identifier);
      emulator.connect(identifier, CONNECTION);
      const touched = await touchedBy(store.redis, store.prefix, () => wake[by](identifier));
      const owner = { gate: gateOf(identifier), identifier, agent: deskAgent.name, runs };
      const { commands, keys } = touched;
      const of = foreign(touched, store.prefix, owner, names);
      if (!keys.includes(`${store.prefix}gate:${owner.gate}`)) throw new Error(`${by}: its own gate was not seen`);
      names.push(identifier, ...runs);
      found.push({ by, neighbours, commands, keys: keys.map((key) => key.slice(store.prefix.length)), foreign: of });
    }
    return found.slice(2);
  } finally {
    await waker.close();
    await scalekit.close();
    await lot.close();
    await emulator.close();
    await server.stop();
  }
}
