/**
 * One user, his runs and his accounts: a shard of its own on a real Redis, with the product's own scripts. Only their clock is ours,
 * so that a minute or a month passes when an actor says so.
 */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import { agent, type Agent } from "../../src/core/agent.ts";
import type { AccountStatus } from "../../src/core/run.ts";
import type { SeenAccount } from "../../src/core/waiting.ts";
import type { Chance, Clock } from "../../src/ports/clock.ts";
import type { Ticket } from "../../src/queue/codec.ts";
import { createProducer } from "../../src/queue/producer.ts";
import { DEFAULT_STORE, openStore, type Store } from "../../src/queue/store.ts";
import type { Tickets } from "../../src/queue/tickets.ts";
import type { Mutant } from "./mutants.ts";

export const USER = "ann";
/** Each far longer than the one before, so that an actor's time passes for one of them only. */
export const SWEEP_MS = 10_000;
export const LEASE_MS = 60_000;
export const EXPIRES_MS = 600_000;

/** Somebody cancelled a run that had not ended. `asked`: the model had been asked by then. */
export interface Cancelled {
  readonly run: string;
  readonly asked: boolean;
}

export interface WorldOptions {
  readonly redis: Redis;
  /** What all keys start with. */
  readonly name: string;
  readonly runs?: number | undefined;
  readonly connections?: readonly string[] | undefined;
  /** Runs that may be live at once. */
  readonly cap?: number | undefined;
  readonly mutant?: Mutant | undefined;
}

export const chance: Chance = { random: () => 0.5, nonce: randomUUID };

export class World {
  readonly redis: Redis;
  readonly store: Store;
  readonly agent: Agent;
  readonly cap: number;
  readonly mutant: Mutant | undefined;
  readonly runs: string[] = [];
  /** What BullMQ would hand out, first come, first served. */
  readonly queue: Ticket[] = [];
  readonly tickets: Tickets;
  readonly clock: Clock;
  /** On behalf of which runs the model was asked, one after the other. */
  readonly asked: string[] = [];
  /** How the worker that had a run in an epoch has seen its accounts, last. */
  readonly saw: Map<string, readonly SeenAccount[]> = new Map();
  readonly cancels: Cancelled[] = [];
  /** Workers that wait for a ticket, by name. */
  readonly idle: Set<string> = new Set();
  /** How often all leases ended: their workers were dead, or stood still. */
  lapses = 0;
  /** All accounts were ACTIVE at one moment. */
  everActive = false;
  /** Connections that were ACTIVE at some moment. */
  readonly wereActive: Set<string> = new Set();
  /** Connections that somebody who opens gates has seen ACTIVE, or was told to look at, since they last changed. */
  readonly heard: Set<string> = new Set();
  /** Connections that a webhook told of; no worker has taken it up yet. */
  readonly told: Set<string> = new Set();
  readonly #accounts: Map<string, { status: AccountStatus; updatedAt: number }>;
  #aged = 0;

  private constructor({ redis, name, connections = ["gmail"], cap = 2, mutant }: WorldOptions) {
    const times = { sweepMs: SWEEP_MS, leaseMs: LEASE_MS, keepMs: 60_000 };
    const store = openStore(redis, name, { ...DEFAULT_STORE, ...times, perIdentifier: cap });
    this.redis = redis;
    this.cap = cap;
    this.mutant = mutant;
    this.store = { ...store, run: (script, ...args) => store.run(onOurClock(script), ...args) };
    this.tickets = { add: async (made) => void this.queue.push(...made), close: async () => undefined };
    this.agent = agentOn(connections);
    this.#accounts = new Map(connections.map((name) => [name, { status: "PENDING_AUTH", updatedAt: 1 }]));
    this.clock = { now: () => Date.now() + this.#aged, monotonic: () => performance.now() + this.#aged };
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    const producer = createProducer(world.store, world.tickets, chance);
    for (let i = 0; i < (options.runs ?? 1); i++)
      world.runs.push(await producer.create(world.agent, { identifier: USER, input: {} }));
    return world;
  }

  see(connection: string): SeenAccount {
    return { connection, accountId: "ca_1", status: "NONE", ...this.#accounts.get(connection) };
  }

  set(connection: string, status: AccountStatus): void {
    this.#accounts.set(connection, { status, updatedAt: this.clock.now() });
    this.heard.delete(connection);
    this.everActive ||= this.isActive;
    if (status === "ACTIVE") this.wereActive.add(connection);
  }

  get connections(): readonly string[] {
    return [...this.#accounts.keys()];
  }

  /** All accounts that the runs need. */
  get isActive(): boolean {
    return Array.from(this.#accounts.values()).every(({ status }) => status === "ACTIVE");
  }

  /** So many ms pass, for Redis and for all processes. */
  async age(ms: number): Promise<void> {
    this.#aged += ms;
    await this.redis.set(`${this.store.prefix}aged`, this.#aged / 1_000);
  }

  /** Redis ms. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) + this.#aged;
  }
}

const agents = new Map<string, Agent>();

function agentOn(connections: readonly string[]): Agent {
  const name = `on-${connections.join("-")}`;
  const known =
    agents.get(name) ??
    agent({
      name,
      model: "openai/test",
      instructions: "Answer.",
      connections,
      input: z.object({}),
      expiresAfterMs: EXPIRES_MS,
    });
  agents.set(name, known);
  return known;
}

const TIME = "redis.call('TIME')";
const shifted = new Map<string, string>();

/** The script as it is, but for the time that it reads. */
function onOurClock(script: string): string {
  const known = shifted.get(script);
  if (known !== undefined) return known;
  const times = script.split(TIME).length - 1;
  if (times > 1 || (times === 0 && /TIME\b/.test(script)))
    throw new Error(`expected a script to read the time once, by ${TIME}; it does ${times} times`);
  const made = script.replace(TIME, `${TIME} t[1] = t[1] + (tonumber(redis.call('GET', p .. 'aged')) or 0)`);
  shifted.set(script, made);
  return made;
}
