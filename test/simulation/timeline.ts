/** Virtual time: events in a heap, one after the other. Between two of them all promises that can go on have gone on. */

export interface Timeline {
  /** Virtual ms since the start, with fractions. */
  readonly now: number;
  /** Events that happened so far. */
  readonly steps: number;
  at(time: number, event: () => void): void;
  after(ms: number, event: () => void): void;
  /** To be called by an event that resolved a promise: what waits for it runs before the next event. */
  touched(): void;
  /** Runs until no event is left, or `until`, or `mostSteps`. `other` is somebody who looks himself when he is due. */
  run(until: number, mostSteps: number, other: Other): Promise<void>;
}

export interface Other {
  /** Virtual ms of his next event; Infinity for none. */
  at(): number;
  happen(): void;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly event: () => void;
}

/** A class, as are all that many ask for their state: an object literal with getters gets a hidden class of its own in each world. */
class Virtual implements Timeline {
  now = 0;
  steps = 0;
  readonly #heap: Event[] = [];
  #order = 0;
  #dirty = false;

  at(time: number, event: () => void): void {
    this.#push({ at: Math.max(this.now, time), order: this.#order++, event });
  }

  after(ms: number, event: () => void): void {
    this.#push({ at: this.now + Math.max(0, ms), order: this.#order++, event });
  }

  touched(): void {
    this.#dirty = true;
  }

  async run(until: number, mostSteps: number, other: Other): Promise<void> {
    const heap = this.#heap;
    while (this.steps < mostSteps) {
      const mine = heap[0];
      const theirs = other.at();
      const isTheirs = theirs < (mine?.at ?? Infinity);
      const at = isTheirs ? theirs : (mine?.at ?? Infinity);
      if (at === Infinity || at > until) return;
      if (!isTheirs) this.#pop();
      this.now = Math.max(this.now, at);
      this.steps++;
      if (isTheirs) other.happen();
      else mine?.event();
      if (!this.#dirty) continue;
      this.#dirty = false;
      await settled();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      let least = heap[child];
      const right = heap[child + 1];
      if (least !== undefined && right !== undefined && before(right, least)) {
        least = right;
        child++;
      }
      if (least === undefined || !before(least, last)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}

export function createTimeline(): Timeline {
  return new Virtual();
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Steps after which whatever else goes on in the process has its turn. */
const BREATHE_EVERY = 5_000;
let settledSince = 0;

/** Node runs all microtasks, with those that they make, before it takes the next tick; unlike `setImmediate`, that asks no poll of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    if (++settledSince % BREATHE_EVERY === 0) setImmediate(resolve);
    else process.nextTick(resolve);
  });
}
