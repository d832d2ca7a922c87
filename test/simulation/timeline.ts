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

export function createTimeline(): Timeline {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;
  let steps = 0;
  let dirty = false;

  const push = (event: Event): void => {
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  };
  const pop = (): Event | undefined => {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
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
    return top;
  };

  return {
    get now() {
      return now;
    },
    get steps() {
      return steps;
    },
    at: (time, event) => push({ at: Math.max(now, time), order: order++, event }),
    after: (ms, event) => push({ at: now + Math.max(0, ms), order: order++, event }),
    touched: () => void (dirty = true),
    async run(until, mostSteps, other) {
      while (steps < mostSteps) {
        const mine = heap[0];
        const theirs = other.at();
        const isTheirs = theirs < (mine?.at ?? Infinity);
        const at = isTheirs ? theirs : (mine?.at ?? Infinity);
        if (at === Infinity || at > until) return;
        if (!isTheirs) pop();
        now = Math.max(now, at);
        steps++;
        if (isTheirs) other.happen();
        else mine?.event();
        if (!dirty) continue;
        dirty = false;
        await settled();
      }
    },
  };
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
