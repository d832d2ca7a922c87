/** The parts of an Errand, put behind their ports: the store over one connection, Scalekit, a worker. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { createAllowance } from "./allowance.ts";
import type { Agents } from "./core/agents.ts";
import { checkBoot } from "./boot.ts";
import { withUrls } from "./core/authorization.ts";
import { type CallRates, unknownRates } from "./core/call-rates.ts";
import type { Budgets } from "./core/days.ts";
import type { CronTimes } from "./core/schedule/timing.ts";
import type { ToolManifest } from "./core/manifest.ts";
import { didYouMean } from "./core/nearest.ts";
import { type ModelProfile, modelsOf } from "./models/protocols.ts";
import { modelRooms } from "./models/rooms.ts";
import { modelRouter } from "./models/router.ts";
import { type AuthorizationSettings, positive, type Settings, type WorkerOptions } from "./options.ts";
import type { ModelAlarm } from "./ports/allowance.ts";
import type { Accounts } from "./ports/accounts.ts";
import type { Chance, Clock } from "./ports/clock.ts";
import type { Journal } from "./ports/journal.ts";
import type { Log } from "./ports/log.ts";
import type { Losses } from "./ports/losses.ts";
import type { Toolbox } from "./ports/toolbox.ts";
import type { Connection } from "./queue/connect.ts";
import { enqueueBounds } from "./queue/budgets.ts";
import { redisCooling } from "./queue/cooling.ts";
import type { EnqueueBounds } from "./queue/enqueue-bounds.ts";
import { type CrewOptions, type ErrandWorker, startCrew } from "./queue/crew.ts";
import { createCronTimes } from "./queue/cron.ts";
import { createGatekeeper } from "./queue/gatekeeper.ts";
import { type RedisGates, redisGates, redisJournal } from "./queue/journal.ts";
import { createHeartbeat } from "./queue/heartbeat.ts";
import { redisLosses } from "./queue/losses.ts";
import { createOutbox, type Outbox } from "./queue/outbox.ts";
import { createRefill } from "./queue/refill.ts";
import type { ShiftPorts } from "./queue/shift.ts";
import { redisWords } from "./queue/words.ts";
import { watchSkew } from "./queue/skew.ts";
import { openStore, type Store } from "./queue/store.ts";
import { createTicker } from "./queue/ticker.ts";
import { openTickets, type Tickets } from "./queue/tickets.ts";
import { createWaker } from "./queue/waker.ts";
import { createAccounts } from "./scalekit/accounts.ts";
import { type Catalogue, createCatalogue } from "./scalekit/catalogue.ts";
import { checkBaseUrl, connectUrl } from "./scalekit/links.ts";
import { createScalekit, type ScalekitOptions } from "./scalekit/client.ts";
import type { ProxyWire } from "./scalekit/proxy-wire.ts";
import { createToolbox } from "./scalekit/tools.ts";
import { createChecker } from "./tools/check.ts";
import type { Registry } from "./tools/registry.ts";

/** The store's parts over one connection. */
export interface Shard {
  readonly connection: Connection;
  readonly store: Store;
  readonly tickets: Tickets;
  readonly journal: Journal;
  readonly gates: RedisGates;
  readonly losses: Losses | undefined;
  release(): Promise<void>;
}

export function openShard(connection: Connection, { prefix, massLoss, ...settings }: Settings, log: Log): Shard {
  const store = openStore(connection.redis, prefix, settings);
  const tickets = openTickets(connection.redis, store.prefix, log);
  const release = async (): Promise<void> => {
    await tickets.close();
    store.close();
    await connection.close();
  };
  const gates = redisGates(store, tickets);
  return {
    connection,
    store,
    tickets,
    journal: redisJournal(store, tickets),
    gates,
    losses: massLoss && redisLosses(store, massLoss, log),
    release,
  };
}

export interface Scalekit {
  readonly accounts: Accounts;
  readonly toolbox: Toolbox;
  readonly catalogue: Catalogue;
  /** One request to a provider's API, for the app's proxy tools. */
  readonly request: ProxyWire["request"];
  readonly manifest: ToolManifest | undefined;
  close(): Promise<void>;
}

export function openScalekit(options: ScalekitOptions, manifest?: ToolManifest): Scalekit {
  const client = createScalekit(options);
  return {
    accounts: createAccounts(client),
    toolbox: createToolbox(client, { check: createChecker(), clock, manifest }),
    catalogue: createCatalogue(client),
    request: (call, limits) => client.request(call, limits),
    manifest,
    close: () => client.close(),
  };
}

export interface WorkerNeeds {
  readonly models: Readonly<Record<string, ModelProfile>>;
  readonly scalekit: Scalekit;
  /** All sources of tools behind one port. */
  readonly toolbox: Registry;
  readonly authorization: AuthorizationSettings | undefined;
  readonly budgets: Budgets | undefined;
  readonly callsPerMinute: CallRates | undefined;
  readonly onAlarm: ((alarm: ModelAlarm) => void) | undefined;
}

/** @param on a connection of its own, released when the worker closes */
export function startWorker(
  agents: Agents,
  { models, scalekit, toolbox, authorization, budgets = {}, callsPerMinute, onAlarm }: WorkerNeeds,
  on: Shard,
  given: WorkerOptions,
  log: Log,
): ErrandWorker {
  const { concurrency = 50, wakeEveryMs = 500, wake = true } = given;
  const { queues = [...new Set(agents.all.map((agent) => agent.queue))] } = given;
  positive("worker", { concurrency, wakeEveryMs });
  const { store, tickets, journal, gates, losses } = on;
  const { accounts } = scalekit;
  const model = modelRouter(modelsOf(models));
  warnOfRates(callsPerMinute, agents, toolbox, log);
  const allowance = createAllowance({ models, budgets, callsPerMinute, onAlarm, log });
  const cooling = redisCooling(store);
  const worker = workerName();
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    wait(ms, undefined, { signal }).catch(() => undefined);
  const shared = { accounts, gates, losses, allowance, cooling, sleep };
  const [rooms, words] = [modelRooms(models), redisWords(store, clock)];
  const ports: ShiftPorts = { model, rooms, words, toolbox, ...shared, clock, chance, journal, log, worker };
  return startCrew({
    ...besides(agents, (whose, now) => enqueueBounds(budgets, whose, now), on, given, log),
    ports,
    waker: wake ? createWaker(store, tickets, createGatekeeper(gates, accounts, log), log, wakeEveryMs) : undefined,
    outbox: wake ? openOutbox(store, authorization, log, wakeEveryMs) : undefined,
    refill: createRefill(store, tickets, log),
    queues,
    agents: agents.all.map(({ name }) => name),
    concurrency,
    check: () => checkBoot(agents.all, scalekit, toolbox.sources, log),
  });
}

/** A name that no tool of these agents goes by limits nothing; another worker's agents may know it. */
function warnOfRates(rates: CallRates = {}, agents: Agents, { sources }: Registry, log: Log): void {
  const known = [...agents.all.flatMap(({ connections }) => connections), ...sources.map(({ name }) => name)];
  for (const name of unknownRates(rates, known))
    log.warn("calls-per-minute.unknown", { name, hint: didYouMean(name, known).trim() });
}

/** A process that fires schedules and does nothing else: it needs no models and no Scalekit. */
export function startScheduler(
  agents: Agents,
  bounds: EnqueueBounds,
  on: Shard,
  given: WorkerOptions,
  log: Log,
): ErrandWorker {
  const nothing = {
    ports: undefined,
    waker: undefined,
    refill: undefined,
    agents: [],
    outbox: undefined,
    queues: [],
    concurrency: 1,
  };
  return startCrew({ ...besides(agents, bounds, on, given, log), ...nothing, check: async () => undefined });
}

/** What every worker has. */
function besides(
  agents: Agents,
  bounds: EnqueueBounds,
  on: Shard,
  { tick = true, tickEveryMs = 500 }: WorkerOptions,
  log: Log,
): Pick<CrewOptions, "connection" | "store" | "log" | "heartbeat" | "skew" | "agentOf" | "release"> {
  positive("worker", { tickEveryMs });
  const { connection, store, tickets } = on;
  const ticker = createTicker({ store, tickets, agents, cronTimes, bounds, chance, log });
  return {
    connection,
    store,
    log,
    heartbeat: tick ? createHeartbeat(store, connection.redis, ticker, { everyMs: tickEveryMs, log }) : undefined,
    skew: watchSkew(store, clock, log),
    agentOf: (name) => agents.find(name),
    release: () => on.release(),
  };
}

/** None where nobody listens: events stay in the stream for those who do. */
function openOutbox(
  { redis, prefix }: Store,
  { baseUrl = "", onEvent }: Partial<AuthorizationSettings> = {},
  log: Log,
  everyMs: number,
): Outbox | undefined {
  if (onEvent === undefined) return undefined;
  checkBaseUrl(baseUrl);
  const urlOf = (connection: string): string => connectUrl(baseUrl, connection);
  return createOutbox({ redis, prefix, log, everyMs, tell: (event) => onEvent(withUrls(event, urlOf)) });
}

/** One for the process: what it has found is kept for all. */
export const cronTimes: CronTimes = createCronTimes();
export const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
export const chance: Chance = { random: () => Math.random(), nonce: () => randomUUID() };

export function workerName(): string {
  return `${hostname()}:${process.pid}`;
}
