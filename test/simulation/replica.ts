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

interface Logged {
  readonly at: number;
  readonly about: string;
  readonly write: Write;
}

class LoggedStore implements Replica {
  store: MemoryStore;
  readonly #options: MemoryOptions;
  readonly #isLogged: boolean;
  #log: Logged[] = [];
  #replaying: number | undefined;

  constructor(options: MemoryOptions, isLogged: boolean) {
    this.#options = options;
    this.#isLogged = isLogged;
    this.store = this.#fresh();
  }

  #fresh(): MemoryStore {
    const { now } = this.#options;
    return createMemoryStore(Object.assign({}, this.#options, { now: () => this.#replaying ?? now() }));
  }

  write<T>(about: string, write: (store: MemoryStore) => T): T {
    if (this.#isLogged) this.#log.push({ at: this.#options.now(), about, write });
    return write(this.store);
  }

  lose(count: number): string[] {
    const lost = this.#log.slice(-count);
    this.#log = this.#log.slice(0, -count);
    this.store = this.#fresh();
    for (const { at, write } of this.#log) {
      this.#replaying = at;
      write(this.store);
    }
    this.#replaying = undefined;
    this.store.takeTickets();
    return lost.map(({ about }) => about);
  }
}

/** @param logged without it nothing can be lost, and no log is kept */
export function createReplica(options: MemoryOptions, logged: boolean): Replica {
  return new LoggedStore(options, logged);
}
