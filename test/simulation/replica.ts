/** The store with its log of writes, so that a failover can lose the last of them: the others are done again, each at its own time. */
import type { MemoryOptions } from "./memory-state.ts";
import type { MemoryStore } from "./memory-api.ts";
import { createMemoryStore } from "./memory-store.ts";

type Write = (store: MemoryStore) => unknown;

export interface Replica {
  readonly store: MemoryStore;
  write<T>(run: string, op: (store: MemoryStore) => T): T;
  /** @returns what the lost writes were about: ids of runs, or names of gates */
  lose(count: number): string[];
}

/** @param logged without it nothing can be lost, and no log is kept */
export function createReplica(options: MemoryOptions, logged: boolean): Replica {
  let replaying: number | undefined;
  const now = (): number => replaying ?? options.now();
  const fresh = (): MemoryStore => createMemoryStore({ ...options, now });
  let store = fresh();
  let log: { at: number; about: string; write: Write }[] = [];
  return {
    get store() {
      return store;
    },
    write(about, write) {
      if (logged) log.push({ at: options.now(), about, write });
      return write(store);
    },
    lose(count) {
      const lost = log.slice(-count);
      log = log.slice(0, -count);
      store = fresh();
      for (const { at, write } of log) {
        replaying = at;
        write(store);
      }
      replaying = undefined;
      store.takeTickets();
      return lost.map(({ about }) => about);
    },
  };
}
