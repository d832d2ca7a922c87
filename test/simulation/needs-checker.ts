/** What must be true of the accounts that runs need, after every script: their records, their reminders, and what is told of them. */
import { isFinal } from "../../src/core/run.ts";
import type { StoredRun } from "./memory-state.ts";
import type { World } from "./world.ts";

export interface NeedsChecker {
  afterScript(): void;
  /** The store lost writes: what is left is taken as it is. */
  afterFailover(): void;
  atEnd(): void;
}

export function createNeedsChecker(world: World): NeedsChecker {
  /** Run → when it is due to leave its gates by itself, Redis ms. */
  const waiting = new Map<string, number>();
  /** Accounts that were told to be required, and not yet to be granted or expired, or dropped without a word. */
  const open = new Set<string>();
  let told = 0;

  const broken = (detail: string): never => world.broken("a record is there as long as a run needs it", detail);

  const records = (): void => {
    const { runs, auths } = world.store;
    let named = 0;
    for (const run of runs.values())
      for (const { gate } of run.needs) {
        if (isFinal(run.status)) broken(`${run.id} has ended and needs ${gate}`);
        if (auths.get(gate)?.names.has(run.id) !== true) broken(`${run.id} needs ${gate}, and no record says so`);
        named++;
      }
    for (const [gate, { names, since }] of auths) {
      if (names.size === 0) broken(`${gate} has a record, and no run needs it`);
      for (const at of names.values()) if (at < since) broken(`${gate} was needed before its record was there`);
      named -= names.size;
    }
    if (named !== 0) broken("a record names runs that do not need it");
  };

  const atAccounts = ({ place, gates }: StoredRun): boolean =>
    place === "gate" && gates.some((gate) => gate.startsWith("account/"));
  const leavesAt = ({ id }: StoredRun): number => world.store.looks.get(`run:${id}`) ?? 0;
  const waits = (run: StoredRun): void => {
    const until = waiting.get(run.id);
    const waitsNow = atAccounts(run);
    if (waitsNow && run.gates.join() !== run.needs.map(({ gate }) => gate).join())
      broken(`${run.id} waits at ${run.gates.join()} and needs ${run.needs.map(({ gate }) => gate).join()}`);
    if (waitsNow && until === undefined)
      for (const gate of run.gates) {
        const { version, waiters } = world.store.gates.get(gate) ?? { version: 0, waiters: new Map<string, number>() };
        if (waiters.get(run.id) !== version)
          world.broken("a run parks only at gates that are as it saw them", `${run.id} at ${gate}, now ${version}`);
      }
    const early = until !== undefined && !run.cancel && world.redisNow() < until;
    // A claim that ends a cancelled run may come after the failover that lost the cancel.
    if (early && !waitsNow && run.needs.length > 0 && !world.tainted.has(run.id))
      world.broken("a run is woken once, by the last of its accounts", `${run.id} left for its ${run.place}`);
    if (waitsNow) waiting.set(run.id, leavesAt(run));
    else waiting.delete(run.id);
  };

  const events = (): void => {
    for (; told < world.store.events.length; told++) {
      const event = world.store.events[told];
      if (event === undefined) return;
      world.count(`told ${event.type}`);
      const gates = event.needs.map(({ gate }) => gate);
      switch (event.type) {
        case "required":
          if (gates.every((gate) => open.has(gate)))
            world.broken("a user is asked once", `${gates.join()} were required already`);
          for (const gate of gates) open.add(gate);
          break;
        case "reminded":
          if (!gates.every((gate) => open.has(gate))) world.broken("only what is needed is reminded of", gates.join());
          break;
        default:
          if (!gates.every((gate) => open.delete(gate))) world.broken("only what was needed is granted", gates.join());
      }
    }
    // A cancelled run drops its needs without a word.
    for (const gate of open) if (!world.store.auths.has(gate)) open.delete(gate);
    for (const gate of world.store.auths.keys())
      if (!open.has(gate)) world.broken("a user is asked", `${gate} is needed and was not required`);
  };

  return {
    afterScript() {
      records();
      for (const run of world.store.runs.values()) waits(run);
      events();
    },
    afterFailover() {
      waiting.clear();
      for (const run of world.store.runs.values()) if (atAccounts(run)) waiting.set(run.id, leavesAt(run));
      told = world.store.events.length;
      open.clear();
      for (const gate of world.store.auths.keys()) open.add(gate);
    },
    atEnd() {
      if (world.store.auths.size > 0) broken(`${Array.from(world.store.auths.keys()).join()} at the end`);
      for (const member of world.store.looks.keys())
        if (member.startsWith("remind:")) broken(`${member} is due, and nobody needs it`);
    },
  };
}
