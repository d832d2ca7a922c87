/** Actors whose every I/O waits for its turn: whoever hands out the turns decides how their steps interleave. */

export type Access = "r" | "w";

/** One I/O, whole: a script, or a look at the accounts. What it touches tells which steps could as well have come the other way round. */
export interface Step {
  readonly what: string;
  readonly account?: Access;
  readonly store?: Access;
  /** It ends the processes of this actor. */
  readonly kills?: string;
}

/** What the I/O of a process throws that was killed: it never happens, and nothing that its code does then does either. */
export class Killed extends Error {
  override readonly name = "Killed";
}

interface Waiting {
  readonly step: Step;
  readonly ready: () => boolean;
  readonly begin: () => void;
  readonly die: (error: Killed) => void;
  /** Its I/O is over, well or not. */
  readonly over: Promise<void>;
}

export class Actor {
  readonly name: string;
  /** Takes no turns: its I/O happens at once. */
  readonly #free: boolean;
  readonly #waiting: Waiting[] = [];
  #body: Promise<void> = Promise.resolve();
  #killed = false;
  #over = false;
  #failure: Error | undefined;

  constructor(name: string, free = false) {
    this.name = name;
    this.#free = free;
  }

  /** Resolves when its first turn is waited for. */
  async begin(body: (me: Actor) => Promise<void>): Promise<void> {
    this.#body = body(this)
      .catch((error: unknown) => {
        if (!(error instanceof Killed)) this.#failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => (this.#over = true));
    await promisesToGoOn();
  }

  /** @param ready whether the step can be done at all; asked again and again */
  async turn<T>(step: Step, io: () => Promise<T>, ready: () => boolean = () => true): Promise<T> {
    if (this.#killed) throw new Killed(this.name);
    if (this.#free) return io();
    let over = (): void => undefined;
    await new Promise<void>((begin, die) => {
      const ended = new Promise<void>((resolve) => (over = resolve));
      this.#waiting.push({ step, ready, begin, die, over: ended });
    });
    try {
      return await io();
    } finally {
      over();
    }
  }

  /** The step that it would do now. */
  get next(): Step | undefined {
    const [first] = this.#waiting;
    return first?.ready() === true ? first.step : undefined;
  }

  async go(): Promise<void> {
    const first = this.#waiting.shift();
    if (first === undefined) throw new Error(`${this.name} has no next step`);
    first.begin();
    await first.over;
    await promisesToGoOn();
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#over && this.#waiting.length === 0) throw new Error(`${this.name} waits for something without a turn`);
  }

  /** As kill -9 would: its steps never happen. Safe to call twice. */
  kill(): void {
    this.#killed = true;
    for (const { die } of this.#waiting.splice(0)) die(new Killed(this.name));
  }

  /** Another process in its place. */
  revive(): void {
    this.#killed = false;
  }

  /** Kills it, and waits until its code has let go of everything. */
  async end(): Promise<void> {
    this.#over = true;
    this.kill();
    await this.#body;
  }

  get ended(): boolean {
    return this.#over;
  }
}

/** Steps of two actors that could be done in either order with the same outcome. */
export function independent(a: { name: string; step: Step }, b: { name: string; step: Step }): boolean {
  if (a.name === b.name || a.step.kills === b.name || b.step.kills === a.name) return false;
  return !clash(a.step.account, b.step.account) && !clash(a.step.store, b.step.store);
}

function clash(a: Access | undefined, b: Access | undefined): boolean {
  return a !== undefined && b !== undefined && (a === "w" || b === "w");
}

function promisesToGoOn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
