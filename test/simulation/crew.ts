/**
 * Workers that take tickets, claim runs and let the real loop work them; a waker; and whoever cancels. What src/queue/shift.ts,
 * waker.ts and canceller.ts do, with virtual timers.
 */
import { createGatekeeper, type Gatekeeper } from "../../src/queue/gatekeeper.ts";
import type { Ticket } from "../../src/queue/codec.ts";
import { advance } from "../../src/loop/advance.ts";
import { end } from "../../src/loop/leave.ts";
import { dayMeter } from "../../src/loop/days.ts";
import { type HeldRun, holdRun, LeaseLost } from "../../src/loop/held.ts";
import type { Chance, Clock } from "../../src/ports/clock.ts";
import { agentOf, ROOMS } from "./agents.ts";
import type { Checker, Hold } from "./checker.ts";
import { mutatedAgent, mutatedHash } from "./mutated-tools.ts";
import { mutatedHold, mutatedJournal } from "./mutants.ts";
import { type Network, StoreGone } from "./network.ts";
import { allowanceOf } from "./shared.ts";
import type { Other } from "./timeline.ts";
import type { Outside } from "./outside.ts";
import { StorePorts } from "./ports.ts";
import { LEASE_MS, type Process, quiet, type World } from "./world.ts";

export interface Crew {
  /** Tickets on their way into the queue. */
  tickets(made: readonly Ticket[]): void;
  startWorker(number: number): void;
  drain(): void;
  /** When the waker next has something to do, for the timeline. */
  readonly waker: Other;
  cancel(run: string): void;
  gatekeeper(process: Process): Gatekeeper;
  ports(process: Process): StorePorts;
}

interface Worker {
  process: Process;
  draining: boolean;
}

export function createCrew(world: World, network: Network, checker: Checker, outside: Outside): Crew {
  const { dice, time } = world;
  const workers: Worker[] = [];
  const ports = (process: Process): StorePorts => new StorePorts(world, network, checker, process, tickets);
  const clockOf = (process: Process): Clock => ({
    now: () => world.redisNow(),
    monotonic: () => world.monotonic(process),
  });
  const hash = mutatedHash(world);
  const allowance = allowanceOf(world);
  const chance: Chance = { random: () => dice.random(), nonce: () => world.nonce() };

  const handOut = (ticket: Ticket, at: number): void =>
    time.at(at, () => {
      const worker = dice.pick(workers as [Worker, ...Worker[]]);
      if (worker.process.dead || worker.draining) handOut(ticket, time.now + dice.between(50, 500));
      else take(worker, ticket);
    });
  const tickets = (made: readonly Ticket[]): void => {
    for (const ticket of made) {
      const { faults } = world;
      if (dice.chance(faults.ticketLost)) {
        world.trace(() => `  ticket ${ticket.run} ${ticket.number} is lost`);
        continue;
      }
      const late = (): number => (dice.chance(faults.ticketLate) ? dice.between(0, 3 * LEASE_MS) : 0);
      handOut(ticket, time.now + dice.between(0.5, 5) + late());
      if (dice.chance(faults.ticketTwice)) handOut(ticket, time.now + dice.between(0.5, 5) + late());
    }
  };

  const take = (worker: Worker, ticket: Ticket): void => {
    const { process } = worker;
    let used = false;
    process.onDeath.push(() => {
      // BullMQ finds the stalled job when its lock has ended.
      if (!used && dice.chance(0.5)) tickets([ticket]);
    });
    network.deliver(process, time.now, () => {
      world.trace(() => `${process.name} takes ticket ${ticket.run} ${ticket.number}`);
      void shift(worker, ticket).then((until) => {
        used = true;
        if (until !== undefined)
          handOut(ticket, time.now + Math.max(1, until - world.redisNow()) + dice.between(0, 500));
      }, world.caught);
    });
  };

  /** @returns Redis ms when the ticket is to come back */
  const shift = async (worker: Worker, { run, number }: Ticket): Promise<number | undefined> => {
    const { process } = worker;
    const clock = clockOf(process);
    const store = ports(process);
    const journal = mutatedJournal(world, store);
    const askedAt = clock.monotonic();
    let hold: Hold | undefined;
    try {
      const claim = await journal.claim(run, { ticket: number, nonce: world.nonce(), worker: process.name });
      if (claim.answer === "busy") return claim.until;
      if (claim.answer !== "claimed") return undefined;
      const held = mutatedHold(
        world,
        holdRun(claim, {
          journal,
          clock,
          chance,
          abort: new AbortController(),
          askedAt,
          meter: dayMeter({ allowance }),
        }),
      );
      hold = checker.holds(process, run, claim.epoch);
      const agent = agentOf(held.state.created.agent);
      if (agent === undefined) return undefined;
      renewing(process, held, hold);
      const ending = await advance(held, mutatedAgent(world, agent), {
        model: outside.model(hold),
        toolbox: outside.toolbox(hold),
        accounts: outside.accounts(process),
        gates: store,
        rooms: ROOMS,
        allowance,
        ...(allowance !== undefined && { cooling: store.cooling() }),
        clock,
        chance,
        log: quiet,
        hash,
        draining: () => {
          if (!worker.draining && dice.chance(world.faults.drainAmid)) drain(worker);
          return worker.draining;
        },
      });
      world.trace(() => `${process.name} leaves ${run}: ${ending}`);
      checker.left(hold, ending);
    } catch (error) {
      if (hold !== undefined) checker.threw(hold, error);
      else if (!(error instanceof StoreGone)) throw error;
      world.trace(() => `${process.name} drops ${run}: ${String(error)}`);
    } finally {
      if (hold !== undefined) hold.over = true;
    }
    return undefined;
  };

  const drain = (worker: Worker): void => {
    world.trace(() => `${worker.process.name} drains`);
    worker.draining = true;
    time.after(dice.between(10, 10_000), () => (worker.draining = false));
  };

  const renewing = (process: Process, held: HeldRun, hold: Hold): void => {
    time.after((LEASE_MS / 3) * process.drift, () => {
      if (hold.over || process.dead) return;
      network.deliver(process, time.now, () => {
        if (hold.over) return;
        held.renew().catch(() => undefined);
        renewing(process, held, hold);
      });
    });
  };

  const startWorker = (number: number): void => {
    const known = workers[number];
    const process = world.spawn(`worker${number}.${world.processes.length}`);
    process.onDeath.push(() => time.after(dice.between(100, 15_000), () => startWorker(number)));
    if (known === undefined) workers[number] = { process, draining: false };
    else Object.assign(known, { process, draining: false });
  };

  let awake = false;
  let restUntil = 0;
  const startWaker = (): Process => {
    const process = world.spawn("waker");
    process.onDeath.push(() => {
      awake = false;
      restUntil = time.now + dice.between(0, 2 * LEASE_MS);
    });
    return process;
  };
  let waker = startWaker();
  const pass = async (process: Process): Promise<void> => {
    const store = ports(process);
    const { gates: due } = await store.script("due", "everything", (it) => it.due(3));
    const gatekeeper = createGatekeeper(store, outside.accounts(process), quiet);
    await Promise.all(due.map((gate) => gatekeeper.look(gate)));
  };

  return {
    tickets,
    startWorker,
    ports,
    gatekeeper: (process) => createGatekeeper(ports(process), outside.accounts(process), quiet),
    drain: () => drain(dice.pick(workers as [Worker, ...Worker[]])),
    waker: {
      at() {
        if (awake) return Infinity;
        let first = Infinity;
        for (const at of world.store.looks.values()) if (at < first) first = at;
        return Math.max(restUntil, time.now + first - world.redisNow());
      },
      happen() {
        if (waker.dead) waker = startWaker();
        awake = true;
        const rest = (): void => {
          awake = false;
          restUntil = time.now + dice.between(0, 500);
        };
        pass(waker).then(rest, rest);
      },
    },
    cancel(run) {
      const process = world.spawn("canceller");
      cancelRun(process, run).catch(world.caught);
    },
  };

  async function cancelRun(process: Process, run: string): Promise<void> {
    const journal = ports(process);
    const clock = clockOf(process);
    const answer = await journal.script("cancel", run, (store) => store.cancel(run));
    if (answer !== "free") return;
    const askedAt = clock.monotonic();
    const claim = await journal.claim(run, { nonce: world.nonce(), worker: process.name });
    if (claim.answer !== "claimed") return;
    const hold = checker.holds(process, run, claim.epoch);
    const held = holdRun(claim, { journal, clock, chance, abort: new AbortController(), askedAt });
    await end(held, { kind: "ended", status: "cancelled" }).then(
      (ending) => checker.left(hold, ending),
      (error: unknown) => {
        if (!(error instanceof LeaseLost)) throw error;
        checker.left(hold, "lost");
      },
    );
  }
}
