/** Who acts on a run that waits: the product's own code, each of its I/O a step that waits for its turn. */
import type { AccountStatus } from "../../src/core/run.ts";
import { cancelRun } from "../../src/queue/canceller.ts";
import { decodeTickets } from "../../src/queue/codec.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import { redisLooks } from "../../src/queue/looks.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { workShift } from "../../src/queue/shift.ts";
import { redisStates } from "../../src/queue/states.ts";
import { createWaker } from "../../src/queue/waker.ts";
import { createAuthorization } from "../../src/scalekit/callback.ts";
import { hashState } from "../../src/scalekit/links.ts";
import { quiet } from "../support/store.ts";
import { mutatedAccounts } from "./mutants.ts";
import { accountsOf, gatekeeperOf, gatesOf, modelOf, noTools, storeOf } from "./ports.ts";
import { Actor, Killed } from "./turns.ts";
import { chance, EXPIRES_MS, LEASE_MS, SWEEP_MS, USER, type World } from "./world.ts";

/**
 * - `connects`, `returns`: the user's account becomes ACTIVE; and is lost again, and comes back once more.
 * - `webhook`: Scalekit tells of the account, and a worker that wakes takes it up. `callback`: the user comes back from consent.
 * - `sweep`: a round of looks, from its moment on.  - `cancel`: of the first run.  - `expiry`: the time to connect is over.
 * - `kill`: kill -9 of the first worker; later its lease is found ended.  - `lapse`: leases end while their workers stand still.
 */
export type Kind = "connects" | "returns" | "webhook" | "callback" | "sweep" | "cancel" | "expiry" | "kill" | "lapse";

/** What an actor does; `connection` where it is one account's. */
export type Act = (world: World, me: Actor, connection: string, worker: Actor) => Promise<void>;

export const ACTS: Readonly<Record<Kind, Act>> = {
  connects: (world, me, connection) => change(world, me, connection, "ACTIVE"),
  returns: async (world, me, connection) => {
    await change(world, me, connection, "ACTIVE");
    await change(world, me, connection, "EXPIRED");
    await change(world, me, connection, "ACTIVE");
  },
  webhook: async (world, me, connection) => {
    const looks = redisLooks(storeOf(world, me));
    await looks.ask({ identifier: USER, connection }, chance.nonce());
    world.told.add(connection);
    // Wishes close to each other are one, a moment later.
    await pass(world, me, 1_000);
  },
  callback: returnFromConsent,
  sweep: (world, me) => pass(world, me, SWEEP_MS),
  cancel,
  expiry: (world, me) => dueAndDie(world, me, EXPIRES_MS),
  kill: async (world, me, _, worker) => {
    await me.turn({ what: "kill", kills: worker.name }, async () => worker.kill());
    await dueAndDie(world, me, LEASE_MS);
  },
  lapse: (world, me) => dueAndDie(world, me, LEASE_MS),
};

function change(world: World, me: Actor, connection: string, status: AccountStatus): Promise<void> {
  return me.turn({ what: `→ ${status}`, account: "w" }, async () => world.set(connection, status));
}

/** A worker takes ticket after ticket; when it is killed, another one takes its place. */
export async function work(world: World, me: Actor): Promise<void> {
  for (;;) {
    try {
      await shift(world, me);
    } catch (error) {
      if (!(error instanceof Killed) || me.ended) throw error;
      me.revive();
    }
  }
}

/** One ticket: it is taken and claimed in one step. A ticket that has to come back later is lost: the next looks find the run. */
export async function shift(world: World, me: Actor): Promise<void> {
  const journal = redisJournal(storeOf(world, me), world.tickets);
  const raw = redisJournal(world.store, world.tickets);
  world.idle.add(me.name);
  const [ticket, claim] = await me.turn(
    { what: "take", store: "w" },
    async () => {
      world.idle.delete(me.name);
      const first = world.queue.shift();
      if (first === undefined) throw new Error("a ticket was taken that is not there");
      const { run, number } = first;
      return [first, await raw.claim(run, { ticket: number, nonce: chance.nonce(), worker: me.name })] as const;
    },
    // Of several that are idle the first one takes it: they are all alike.
    () => world.queue.length > 0 && !Array.from(world.idle).some((other) => other < me.name),
  );
  const { run } = ticket;
  const epoch = claim.answer === "claimed" ? claim.epoch : 0;
  const accounts = accountsOf(world, me, (seen) => world.saw.set(`${run} ${epoch}`, seen));
  await workShift(
    {
      journal: { ...journal, claim: async () => claim },
      model: modelOf(() => world.asked.push(run)),
      toolbox: noTools,
      accounts: mutatedAccounts(world, claim, accounts),
      gates: gatesOf(world, me),
      clock: world.clock,
      chance,
      log: quiet,
      worker: me.name,
    },
    { run, ticket: ticket.number, agentOf: () => world.agent },
  );
}

/** What a worker that wakes does, once. */
export async function pass(world: World, me: Actor, afterMs: number): Promise<void> {
  const store = storeOf(world, me, afterMs);
  const taking: typeof store = {
    ...store,
    run: async (script, ...args) => {
      const reply = await store.run(script, ...args);
      if (script === DUE) takeUp(world);
      return reply;
    },
  };
  const waker = createWaker(taking, world.tickets, gatekeeperOf(world, me), quiet, 1_000_000);
  await waker.pass();
  await waker.idle();
}

/** Wishes of webhooks are seen to from here on: runs that wait are looked at, others look themselves. */
function takeUp(world: World): void {
  for (const connection of world.told) if (world.see(connection).status === "ACTIVE") world.heard.add(connection);
  world.told.clear();
}

/** So long that all leases end. Reads what is due, hands out tickets, and dies before it looks at anything. */
async function dueAndDie(world: World, me: Actor, afterMs: number): Promise<void> {
  const [, , , ...made] = await storeOf(world, me, afterMs).run(DUE, 100);
  world.lapses++;
  world.told.clear();
  await world.tickets.add(decodeTickets(made));
}

async function cancel(world: World, me: Actor): Promise<void> {
  const [run = ""] = world.runs;
  const store = storeOf(world, me);
  const noting: typeof store = {
    ...store,
    run: async (script, ...args) => {
      const reply = await store.run(script, ...args);
      if (reply[0] !== "final") world.cancels.push({ run, asked: world.asked.includes(run) });
      return reply;
    },
  };
  const journal = redisJournal(store, world.tickets);
  await cancelRun(noting, { journal, clock: world.clock, chance, worker: me.name }, run);
}

const BASE_URL = "https://app.example.com/errand";

/** The user has agreed at the provider; what makes the account ACTIVE is that Scalekit is told who came back. */
async function returnFromConsent(world: World, me: Actor, connection: string): Promise<void> {
  const state = chance.nonce();
  const now = (): number => world.clock.now();
  const link = { stateHash: hashState(state), url: "https://scalekit.example.com/", expiresAt: now() + 86_400_000 };
  const request = { identifier: USER, connection, returnTo: `${BASE_URL}/callback` };
  await redisStates(storeOf(world, me), now).keep(request, link);
  const gatekeeper = gatekeeperOf(world, me);
  const handler = createAuthorization({
    accounts: {
      ...accountsOf(world, me, () => undefined),
      verify: async () => {
        await change(world, me, connection, "ACTIVE");
        return { ok: true, redirectUrl: "" };
      },
    },
    states: redisStates(storeOf(world, me), now),
    baseUrl: BASE_URL,
    getUser: () => USER,
    onReturn: async (back) => void (await gatekeeper.lookAt(back.identifier, back.connection, true)),
    clock: world.clock,
  });
  const answer = await handler(new Request(`${BASE_URL}/callback?state=${state}&auth_request_id=ar_1`));
  if (answer.status !== 200) throw new Error(`expected the callback to say 200, got ${answer.status}`);
}

/** For what happens when nobody interferes. */
export const nobody: Actor = new Actor("net", true);
