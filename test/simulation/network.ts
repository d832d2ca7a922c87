/**
 * The ways between processes and what they ask: each call is a request that arrives late or never, and a reply that does.
 * Here workers die and stand still: at any of their await points, which are the moments when an answer reaches them.
 *
 * Written with methods, not closures with names: tsx gives each of those its name back, which costs a tenth of all time.
 */
import type { Dice } from "./dice.ts";
import type { Timeline } from "./timeline.ts";
import { kill, LEASE_MS, pause, type Process, type World } from "./world.ts";

/** What ioredis throws when it gives up: the command may have been executed. */
export class StoreGone extends Error {
  override readonly name = "StoreGone";
}

interface Command<T> {
  readonly process: Process;
  readonly what: string;
  readonly about: string;
  readonly exec: () => T;
  readonly started: number;
  /** It arrives even if its process is dead by then. */
  lastWords: boolean;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: Error) => void;
}

export class Network {
  readonly #world: World;
  readonly #time: Timeline;
  readonly #dice: Dice;
  /** Virtual ms until which the store executes no command. */
  downUntil = 0;

  constructor(world: World) {
    this.#world = world;
    this.#time = world.time;
    this.#dice = world.dice;
  }

  /** Runs `then` in the process at `at`, unless it is dead by then; later if it stands still. */
  deliver(process: Process, at: number, then: () => void): void {
    this.#time.at(at, () => {
      if (!process.dead) this.#mishap(process);
      this.#arrived(process, then);
    });
  }

  /** A command to the store. `exec` may be done twice, or done and never answered. @throws StoreGone */
  command<T>(process: Process, what: string, about: string, exec: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const started = this.#time.now;
      const command: Command<T> = { process, what, about, exec, started, resolve, reject, lastWords: false };
      if (what !== "evidence" || !this.#dice.chance(this.#world.faults.evidenceLate)) {
        this.#send(command, this.#latency(), true);
        return;
      }
      // The result is stuck on its way, and the worker may die meanwhile: the run goes on without it.
      command.lastWords = true;
      this.#send(command, this.#dice.between(0, 8 * LEASE_MS), true);
      if (this.#dice.chance(0.5)) this.#time.after(this.#dice.between(0, LEASE_MS), () => kill(this.#world, process));
    });
  }

  /** Anything else: `exec` happens once or, if the process dies, perhaps never. */
  request<T>(process: Process, ms: number, exec: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#time.after(this.#latency(), () => {
        if (process.dead && this.#dice.chance(0.5)) return;
        const answer = exec();
        this.deliver(process, this.#time.now + ms, () => resolve(answer));
      });
    });
  }

  #latency(): number {
    const dice = this.#dice;
    if (dice.chance(this.#world.faults.slow)) return dice.between(5, dice.chance(0.2) ? 2 * LEASE_MS : 1_000);
    return dice.between(0.1, 4);
  }

  #mishap(process: Process): void {
    const { faults } = this.#world;
    const dice = this.#dice;
    if (process.immortal || (!process.isWorker && !dice.chance(0.2))) return;
    if (dice.chance(faults.crash)) kill(this.#world, process);
    else if (dice.chance(faults.pause)) {
      const ms = dice.chance(0.5) ? dice.between(LEASE_MS, 3 * LEASE_MS) : dice.between(1, LEASE_MS);
      pause(this.#world, process, ms, dice.chance(faults.suspend));
    }
  }

  #arrived(process: Process, then: () => void): void {
    if (process.dead) return;
    if (process.pausedUntil > this.#time.now) {
      this.#time.at(process.pausedUntil + this.#dice.random(), () => this.#arrived(process, then));
      return;
    }
    then();
    this.#time.touched();
  }

  #send<T>(command: Command<T>, ms: number, first: boolean): void {
    const { process } = command;
    if (ms > LEASE_MS / 5) process.faultedAt = Math.max(process.faultedAt, this.#time.now + ms);
    this.#time.after(ms, () => {
      // What a dead process has sent may still be on the way.
      if (process.dead && !command.lastWords && this.#dice.chance(0.5)) return;
      if (this.downUntil > this.#time.now) this.#refused(command, first);
      else this.#execute(command, first);
    });
  }

  #refused<T>(command: Command<T>, first: boolean): void {
    const { process } = command;
    process.faultedAt = Math.max(process.faultedAt, this.downUntil + LEASE_MS / 2);
    if (this.#dice.chance(0.5))
      this.#send(command, this.downUntil - this.#time.now + this.#dice.between(0, 500), first);
    else this.#reply(command, () => command.reject(new StoreGone(command.what)));
  }

  #execute<T>(command: Command<T>, first: boolean): void {
    const { process, exec } = command;
    const dice = this.#dice;
    const { faults } = this.#world;
    const answer = exec();
    if (first && dice.chance(faults.resend)) {
      this.#note("resend", command, "its reply is lost, it is sent again");
      this.#send(command, this.#latency() + dice.between(10, 300), false);
    } else if (dice.chance(faults.giveUp)) {
      this.#note("give-up", command, "was executed, but the client gives up");
      process.faultedAt = Math.max(process.faultedAt, this.#time.now + LEASE_MS / 2);
      this.#reply(command, () => command.reject(new StoreGone(command.what)));
    } else this.#reply(command, () => command.resolve(answer));
    if (first && dice.chance(faults.twin))
      this.#time.after(dice.between(1, LEASE_MS), () => {
        if (this.downUntil > this.#time.now) return;
        this.#note("twin", command, "is executed once more, late");
        // A claim that comes late takes the run for a worker that no longer asks.
        process.faultedAt = Math.max(process.faultedAt, this.#time.now + 2 * LEASE_MS);
        exec();
      });
  }

  #reply<T>({ process, started }: Command<T>, settle: () => void): void {
    const at = this.#time.now + this.#latency();
    // Slow enough to cost a lease: whatever follows is no fault of the protocol.
    if (at - started > LEASE_MS / 5) process.faultedAt = Math.max(process.faultedAt, at);
    this.deliver(process, at, settle);
  }

  #note<T>(what: string, command: Command<T>, text: string): void {
    this.#world.count(what);
    this.#world.trace(() => `${command.process.name} ${command.what} ${command.about}: ${text}`);
  }
}
