/**
 * A year of many schedules in minutes: the real scripts on a real Redis whose time is ours, real runs that end and park as the dice say,
 * tickers that are killed before or after any of their writes, days on which nothing ticks, and users who pause, change and trigger.
 * In the end each nominal time that there was must be accounted for exactly once, and no time may have had two runs.
 */
import { registerAgents } from "../../src/core/agents.ts";
import type { ScheduleOptions } from "../../src/core/schedule/definition.ts";
import type { Tick } from "../../src/core/schedule/input.ts";
import { timeAfter, type Timing } from "../../src/core/schedule/timing.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import { readSchedules } from "../../src/queue/schedule-store.ts";
import { createSchedules, type Schedules } from "../../src/queue/schedules.ts";
import { SCHEDULE_WRITE } from "../../src/queue/scripts/schedule-write.ts";
import type { Store } from "../../src/queue/store.ts";
import { createTicker } from "../../src/queue/ticker.ts";
import type { ManualTime } from "../support/manual-time.ts";
import { cronTimes, digest, type ManualRuns, manualRuns, noTickets } from "../support/schedules.ts";
import { rollDice } from "../simulation/dice.ts";
import { chance, quiet } from "../support/store.ts";
import { check, type Life } from "./verdict.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly schedules: number;
  readonly days: number;
  readonly onDay?: (day: number, told: Told) => void;
}

export interface Told {
  readonly times: number;
  readonly runs: number;
  readonly kills: number;
  readonly down: number;
  readonly changes: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CRONS = [
  "0 8 * * *",
  "30 2 * * *",
  "0 8 * * 1-5",
  "0 */6 * * *",
  "15 7,19 * * *",
  "0 9 1 * *",
  "45 1 * * 0",
  "0 0 31 12 *",
];
const ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"];

class Killed extends Error {}

export async function simulate(time: ManualTime, options: SimulationOptions): Promise<Told> {
  const world = new World(time, options);
  return world.live();
}

class World {
  readonly lives = new Map<string, Life>();
  readonly fates: { at: number; run: string; does: "end" | "park" }[] = [];
  readonly roll: () => number;
  readonly schedules: Schedules;
  readonly runs: ManualRuns;
  readonly told = { times: 0, runs: 0, kills: 0, down: 0, changes: 0 };
  readonly time: ManualTime;
  readonly options: SimulationOptions;
  seen = 0;

  constructor(time: ManualTime, options: SimulationOptions) {
    this.time = time;
    this.options = options;
    const dice = rollDice(options.seed);
    this.roll = () => dice.random();
    this.schedules = createSchedules(this.ports(time.store));
    this.runs = manualRuns(time.store, redisJournal(time.store, noTickets));
  }

  ports(store: Store) {
    return {
      store: withWholeHistory(store),
      tickets: noTickets,
      agents: registerAgents([digest], undefined),
      cronTimes,
      chance,
      log: quiet,
    };
  }

  pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.roll() * list.length)];
    if (one === undefined) throw new Error("expected something to pick from");
    return one;
  }

  async live(): Promise<Told> {
    const start = this.time.now();
    const end = start + this.options.days * DAY;
    for (let i = 0; i < this.options.schedules; i++) await this.define(`s${i}`);
    for (let day = 0; this.time.now() < end;) {
      // Mostly half an hour or so; now and then days on which nothing ticks and nothing works.
      const down = this.roll() < 0.004;
      if (down) this.told.down++;
      const step = down ? (1 + this.roll() * 4) * DAY : (5 + this.roll() * 115) * MINUTE;
      await this.time.set(Math.floor(this.time.now() + step));
      await this.people();
      await this.tick(0.005);
      await this.work();
      const today = Math.floor((this.time.now() - start) / DAY);
      if (today > day) this.options.onDay?.((day = today), this.told);
    }
    // Whatever a killed ticker had taken is due again by then.
    for (let i = 0; i < 3; i++) {
      await this.time.set(this.time.now() + HOUR);
      await this.tick(0);
      await this.work();
    }
    await this.judge();
    return this.told;
  }

  definition(): Omit<ScheduleOptions, "identifier" | "paused"> {
    const within = this.pick([HOUR, DAY, 3 * DAY]);
    return {
      ...(this.roll() < 0.9 ? { cron: this.pick(CRONS) } : { every: this.pick([6 * HOUR, DAY, 3 * DAY]) }),
      timezone: this.pick(ZONES),
      jitter: this.pick([0, 10 * MINUTE, 3 * HOUR]),
      overlap: this.pick(["skip", "skip", "buffer-one", "buffer-all", "cancel-other", "allow-all"] as const),
      catchUp: { policy: this.pick(["none", "latest", "latest", "all"] as const), within },
      coalesce: this.roll() < 0.7,
      input: (tick: Tick) => ({ since: tick.since, until: tick.until }),
    };
  }

  async define(id: string): Promise<void> {
    const given = this.definition();
    const { schedule } = await this.schedules.upsert(digest, id, { identifier: `user-${id}`, ...given });
    const life: Life = this.lives.get(id) ?? { rules: [], made: new Map() };
    life.rules.push({ from: this.time.now(), timing: timingOf(given), paused: schedule.paused });
    this.lives.set(id, life);
  }

  /** Some users change their minds. */
  async people(): Promise<void> {
    for (let n = this.lives.size / 40; n > 0; n--) if (this.roll() < 0.3) await this.person();
  }

  async person(): Promise<void> {
    const id = this.pick([...this.lives.keys()]);
    const life = this.lives.get(id);
    const last = life?.rules.at(-1);
    if (life === undefined || last === undefined) return;
    this.told.changes++;
    const chosen = this.roll();
    if (chosen < 0.4) await this.define(id);
    else if (chosen < 0.5) await this.schedules.trigger(id, undefined);
    else {
      const { paused } = await this.schedules.setPaused(id, !last.paused);
      life.rules.push({ from: this.time.now(), timing: last.timing, paused });
    }
  }

  /** A pass by a process that may be killed at any of its writes; another comes after it. */
  async tick(deadly: number): Promise<void> {
    for (;;) {
      const ticker = createTicker(this.ports(this.mortal(deadly)));
      try {
        await ticker.pass();
        return;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        this.told.kills++;
        // What it had taken comes back, if anybody ticks so soon.
        if (this.roll() < 0.5) await this.time.set(this.time.now() + 31_000);
      }
    }
  }

  mortal(deadly: number): Store {
    let dead = false;
    const { store } = this.time;
    const run: Store["run"] = async (script, ...args) => {
      if (dead) throw new Killed();
      const [before, after] = [this.roll() < deadly, this.roll() < deadly];
      if (before) dead = true;
      if (dead) throw new Killed();
      const reply = await store.run(script, ...args);
      if (after) dead = true;
      // A process that is dead by now does nothing with what it was told.
      if (dead) throw new Killed();
      return reply;
    };
    return { ...store, run };
  }

  /** New runs get their fates; fates that are due come true. */
  async work(): Promise<void> {
    const { redis, prefix } = this.time.store;
    const found = await redis.zrange(`${prefix}runs:all`, `(${this.seen}`, "+inf", "BYSCORE", "WITHSCORES");
    const now = this.time.now();
    const ids = found.filter((_, i) => i % 2 === 0).map(String);
    const created = await Promise.all(ids.map((run) => this.runs.created(run)));
    this.seen = Number(found.at(-1) ?? this.seen);
    for (const [i, run] of ids.entries()) {
      const tick = created[i]?.tick ?? { schedule: "" };
      this.note(run, tick);
      const fate = this.roll();
      if (fate < 0.15) this.fates.push({ at: now, run, does: "park" });
      this.fates.push({ at: now + Math.floor(this.roll() * (fate < 0.3 ? 9 * DAY : HOUR)), run, does: "end" });
    }
    const due = this.fates.filter((fate) => fate.at <= now);
    this.fates.splice(0, this.fates.length, ...this.fates.filter((fate) => fate.at > now));
    const ofRun = new Map<string, Promise<void>>();
    for (const { run, does } of due)
      ofRun.set(
        run,
        (ofRun.get(run) ?? Promise.resolve()).then(() => this.happen(run, does)),
      );
    await Promise.all(ofRun.values());
  }

  note(run: string, tick: { readonly schedule: string; readonly nominal?: number }): void {
    this.told.runs++;
    const made = this.lives.get(tick.schedule)?.made;
    if (made === undefined) throw new Error(`run ${run} is of no schedule`);
    if (tick.nominal === undefined) return;
    const other = made.get(tick.nominal);
    if (other !== undefined) throw new Error(`${tick.schedule}: ${tick.nominal} has two runs: ${other} and ${run}`);
    made.set(tick.nominal, run);
  }

  /** It may have been cancelled meanwhile, and then only ends. */
  async happen(run: string, does: "end" | "park"): Promise<void> {
    const { redis, prefix } = this.time.store;
    const key = `${prefix}run:${run}`;
    const [status, cancel] = await redis.hmget(key, "status", "cancel");
    if (status === null || status === undefined) return;
    if (does === "park" && cancel === null) return this.runs.park(run);
    await this.runs.end(run);
    // A year of them is more than a test may keep.
    await redis.unlink(key, `${key}:j`, `${key}:e`, `${key}:b`);
  }

  async judge(): Promise<void> {
    const { redis, prefix } = this.time.store;
    for (const [id, life] of this.lives) {
      const [kept] = (await readSchedules(this.time.store, [id])).schedules;
      const lines = await redis.lrange(`${prefix}schedule:${id}:h`, 0, -1);
      if (kept === undefined) throw new Error(`${id} is gone`);
      this.told.times += check(id, life, kept, lines, this.time.now(), (timing, after) =>
        timeAfter(timing, cronTimes, after),
      );
    }
    await this.schedules.delete([...this.lives.keys()]);
    const left = (await redis.keys(`${prefix}schedule*`)).filter((key) => key !== `${prefix}schedules:beat`);
    if (left.length > 0) throw new Error(`deleted schedules left ${left.join(", ")}`);
  }
}

/** All of what became of its times, for the judge. */
function withWholeHistory(store: Store): Store {
  const run: Store["run"] = (script, ...args) => {
    if (script !== SCHEDULE_WRITE) return store.run(script, ...args);
    const [id = "", rev = "", nonce = "", change = "", ...runs] = args;
    return store.run(script, id, rev, nonce, String(change).replace(/"most":\d+/, '"most":1000000'), ...runs);
  };
  return { ...store, run };
}

function timingOf({ cron, every, timezone = "UTC", jitter = 0 }: Omit<ScheduleOptions, "identifier">): Timing {
  return { ...(cron !== undefined && { cron }), ...(every !== undefined && { every }), timezone, jitter };
}
