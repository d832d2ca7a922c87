/** What changes of a held run, as others look at it (held.ts). */
import type { RunState } from "../core/state.ts";

export interface Changing {
  readonly state: RunState;
  readonly cancelled: boolean;
  readonly signal: AbortSignal;
  readonly stop: AbortSignal;
}

type Now = { readonly [K in keyof Changing]: () => Changing[K] };

/** A class: V8 gives each object literal with getters a shape of its own, and then every look at any held run is slow. */
export class Reading implements Changing {
  readonly #now: Now;

  constructor(now: Now) {
    this.#now = now;
  }

  get state(): RunState {
    return this.#now.state();
  }

  get cancelled(): boolean {
    return this.#now.cancelled();
  }

  /** Made by Node when it is first asked for, as is `stop`. */
  get signal(): AbortSignal {
    return this.#now.signal();
  }

  get stop(): AbortSignal {
    return this.#now.stop();
  }
}
