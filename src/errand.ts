/** The composition root: puts adapters behind ports, checks what was configured, and hands out the public API. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { RedisOptions } from "ioredis";
import { type Logger, pino } from "pino";
import type { Agent, TypedAgent } from "./core/agent.ts";
import { type Agents, checkNames, registerAgents } from "./core/agents.ts";
import { ErrandError } from "./core/errors.ts";
import { type ChatProfile, chatModel } from "./models/chat.ts";
import { modelRouter } from "./models/router.ts";
import type { Accounts } from "./ports/accounts.ts";
import type { Chance, Clock } from "./ports/clock.ts";
import type { Journal } from "./ports/journal.ts";
import type { Log } from "./ports/log.ts";
import type { Toolbox } from "./ports/toolbox.ts";
import { cancelRun } from "./queue/canceller.ts";
import { type Connection, connect } from "./queue/connect.ts";
import { type ErrandWorker, startCrew } from "./queue/crew.ts";
import { createGatekeeper } from "./queue/gatekeeper.ts";
import { type RunHandle, runHandle } from "./queue/handle.ts";
import { openHints } from "./queue/hints.ts";
import { type RedisGates, redisGates, redisJournal } from "./queue/journal.ts";
import { listRuns, type RunFilter, type RunPage } from "./queue/lister.ts";
import { pinoLog } from "./queue/log.ts";
import { createProducer, type EnqueueOptions } from "./queue/producer.ts";
import { createReader } from "./queue/reader.ts";
import type { ShiftPorts } from "./queue/shift.ts";
import { redisStates } from "./queue/states.ts";
import { DEFAULT_STORE, openStore, type Store, type StoreOptions } from "./queue/store.ts";
import { openTickets, type Tickets } from "./queue/tickets.ts";
import { createWaker } from "./queue/waker.ts";
import { createAccounts } from "./scalekit/accounts.ts";
import { connectUrl, createAuthorization } from "./scalekit/callback.ts";
import { createScalekit, type ScalekitOptions } from "./scalekit/client.ts";
import { createToolbox } from "./scalekit/tools.ts";
import { createChecker } from "./tools/check.ts";
export interface ErrandOptions {
  /** URL, or options of ioredis. */
  readonly redis: string | RedisOptions;
  /** Needed by workers and by the authorization handler, not by a process that only enqueues. */
  readonly scalekit?: ScalekitOptions;
  /** Profile → how to reach its models. An agent's `model` is `profile/model`. Needed by workers. */
  readonly models?: Readonly<Record<string, ChatProfile>>;
  readonly agents: readonly Agent[];
  /** What all keys in Redis start with; one per environment that shares a Redis. Default `errand`. */
  readonly prefix?: string;
  /** Where the app serves the authorization handler, such as `https://app.example.com/errand`. */
  readonly authorization?: { readonly baseUrl: string };
  /** Live runs that one identifier may have at once, per queue; default 5. */
  readonly perIdentifier?: number;
  /** ms; how long a worker owns a run without renewal. Default 30,000. Shorter means faster recovery and more renewals. */
  readonly leaseMs?: number;
  /** ms between two looks at an account that runs wait for; default 60,000. */
  readonly sweepMs?: number;
  /** ms that an ended run is kept; default 7 days. */
  readonly keepMs?: number;
  /** Default: warnings and errors as JSON lines on stderr. */
  readonly logger?: Logger;
}

export interface WorkerOptions {
  /** Runs at once, per queue; default 50. A waiting run holds no place. */
  readonly concurrency?: number;
  /** Default: all queues of the agents. */
  readonly queues?: readonly string[];
  /** ms between two reads of what is due; default 500. */
  readonly wakeEveryMs?: number;
  /** Whether this process is also the net that wakes runs and makes lost tickets again; default true. Some process must be. */
  readonly wake?: boolean;
}

export interface AuthorizationHandlerOptions {
  /**
   * Who is signed in to the app, by the request's own session; null sends a "please sign in" page. The identifier of a link is never
   * taken from a URL.
   */
  readonly getUser: (request: Request) => string | null | Promise<string | null>;
  /** Where a user goes after connecting; default: a page that says that the tab can be closed. */
  readonly redirectTo?: string;
}

export interface Errand {
  /** @throws ErrandError `agent-unknown`, `input-invalid`, `identifier-invalid`, `idempotency-conflict`, `redis-…` */
  enqueue<Given, Input, Output>(
    agent: TypedAgent<Given, Input, Output>,
    options: EnqueueOptions<Given>,
  ): Promise<RunHandle<Output>>;
  enqueue(agent: string, options: EnqueueOptions<unknown>): Promise<RunHandle<unknown>>;
  /** Runs, newest first, by status, agent and identifier. */
  runs(filter?: RunFilter): Promise<RunPage>;
  /** A run by its id, from any process. */
  run(id: string): RunHandle<unknown>;
  /** Starts working in this process. `queues: []` only wakes. */
  worker(options?: WorkerOptions): ErrandWorker;
  /** The handler for the links that users click and for their return: mount it at `authorization.baseUrl`. */
  authorizationHandler(options: AuthorizationHandlerOptions): (request: Request) => Promise<Response>;
  /** The app's own URL that leads a user to a fresh link; it never goes stale. */
  connectUrl(connection: string): string;
  /** Looks at the account now and lets the runs that wait for it go on if it is ACTIVE. @returns whether it was */
  checkAccount(identifier: string, connection: string): Promise<boolean>;
  close(): Promise<void>;
}

/** @throws ErrandError `config-invalid`, `agent-invalid`; nothing is connected or checked over the wire yet */
export function createErrand(options: ErrandOptions): Errand {
  const agents = registerAgents(options.agents, options.models && Object.keys(options.models));
  const log = pinoLog(options.logger ?? pino({ name: "errand", level: "warn" }, pino.destination(2)));
  const settings = storeOptions(options);
  const app = shard(connect(options.redis, false), settings, log);
  const hints = openHints(app.store, (error) => log.warn("hints.error", { error: error.name }));
  const reader = createReader(app.store, hints, app.connection.reach);
  const producer = createProducer(app.store, app.tickets, chance);
  const scalekit = lazy(() => openScalekit(required(options.scalekit, "scalekit")));
  const gatekeeper = lazy(() => createGatekeeper(app.gates, scalekit().accounts, log));
  const crew = new Set<ErrandWorker>();
  const { reach } = app.connection;

  const cancel = (run: string): Promise<boolean> =>
    reach(() => cancelRun(app.store, { journal: app.journal, clock, chance, worker: workerName() }, run));
  const handle = (run: string): RunHandle<unknown> => runHandle(run, reader, cancel);

  const errand: Errand = {
    enqueue: async (agent: Agent | string, given: EnqueueOptions<unknown>) =>
      handle(await reach(() => producer.create(agents.need(agent), given))) as RunHandle<never>,
    runs: (filter = {}) => reach(() => listRuns(app.store, filter)),
    run: handle,
    worker: (given = {}) => {
      const worker = startWorker(
        agents,
        shard(connect(options.redis, true), settings, log),
        required(options.models, "models"),
        scalekit(),
        given,
        log,
      );
      crew.add(worker);
      return worker;
    },
    connectUrl: (connection) => connectUrl(required(options.authorization, "authorization").baseUrl, connection),
    authorizationHandler: ({ getUser, redirectTo }) =>
      createAuthorization({
        accounts: scalekit().accounts,
        states: redisStates(app.store, () => clock.now()),
        baseUrl: required(options.authorization, "authorization").baseUrl,
        getUser,
        ...(redirectTo !== undefined && { redirectTo }),
        onReturn: async ({ identifier, connection }) => void (await gatekeeper().lookAt(identifier, connection, true)),
        clock,
        log,
      }),
    checkAccount: (identifier, connection) => gatekeeper().lookAt(identifier, connection),
    close: async () => {
      await Promise.all(Array.from(crew, (worker) => worker.close()));
      await hints.close();
      await app.release();
      await scalekit.made()?.close();
    },
  };
  return errand;
}

/** The store's parts over one connection. */
interface Shard {
  readonly connection: Connection;
  readonly store: Store;
  readonly tickets: Tickets;
  readonly journal: Journal;
  readonly gates: RedisGates;
  release(): Promise<void>;
}

function shard(connection: Connection, { prefix, ...settings }: Settings, log: Log): Shard {
  const store = openStore(connection.redis, prefix, settings);
  const tickets = openTickets(connection.redis, store.prefix, log);
  const release = async (): Promise<void> => {
    await tickets.close();
    await connection.close();
  };
  return {
    connection,
    store,
    tickets,
    journal: redisJournal(store, tickets),
    gates: redisGates(store, tickets),
    release,
  };
}

interface Scalekit {
  readonly accounts: Accounts;
  readonly toolbox: Toolbox;
  close(): Promise<void>;
}

function openScalekit(options: ScalekitOptions): Scalekit {
  const client = createScalekit(options);
  return {
    accounts: createAccounts(client),
    toolbox: createToolbox(client, { check: createChecker(), clock }),
    close: () => client.close(),
  };
}

function startWorker(
  agents: Agents,
  on: Shard,
  models: Readonly<Record<string, ChatProfile>>,
  scalekit: Scalekit,
  given: WorkerOptions,
  log: Log,
): ErrandWorker {
  const {
    concurrency = 50,
    wakeEveryMs = 500,
    wake = true,
    queues = [...new Set(agents.all.map((agent) => agent.queue))],
  } = given;
  positive("worker", { concurrency, wakeEveryMs });
  const { store, tickets, journal, gates, connection } = on;
  const { accounts, toolbox } = scalekit;
  const model = modelRouter(
    Object.fromEntries(Object.entries(models).map(([name, profile]) => [name, chatModel(profile)])),
  );
  const ports: ShiftPorts = { model, toolbox, accounts, gates, clock, chance, journal, log, worker: workerName() };
  return startCrew({
    connection,
    store,
    ports,
    waker: wake ? createWaker(store, tickets, createGatekeeper(gates, accounts, log), log, wakeEveryMs) : undefined,
    queues,
    concurrency,
    agentOf: (name) => agents.find(name),
    check: () => checkBoot(agents, scalekit, log),
    release: () => on.release(),
  });
}

/** Wrong names and credentials stop a worker; an outage of Scalekit does not: its runs park as `outage` until it is back. */
async function checkBoot(agents: Agents, { accounts, toolbox }: Scalekit, log: Log): Promise<void> {
  const [connections, tools] = await Promise.all([accounts.connections(), toolbox.names()]);
  for (const outage of [connections, tools]) {
    if (outage.ok) continue;
    if (outage.why === "credentials")
      throw new ErrandError(
        "scalekit-auth",
        `Scalekit refused our client id or secret: ${outage.message} Check SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET.`,
      );
    log.warn("boot.names-unchecked", { why: outage.message });
    return;
  }
  if (connections.ok && tools.ok) checkNames(agents.all, { connections: connections.names, tools: tools.names });
}

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
const chance: Chance = { random: () => Math.random(), nonce: () => randomUUID() };

function workerName(): string {
  return `${hostname()}:${process.pid}`;
}

type Settings = StoreOptions & { readonly prefix: string };

function storeOptions(options: ErrandOptions): Settings {
  const { prefix = "errand" } = options;
  if (!/^[A-Za-z0-9_.:-]{1,64}$/.test(prefix))
    throw new ErrandError(
      "config-invalid",
      `createErrand: prefix: expected 1 to 64 letters, digits, '_', '.', ':' or '-', got ${JSON.stringify(prefix)}.`,
    );
  const settings = {
    perIdentifier: options.perIdentifier ?? DEFAULT_STORE.perIdentifier,
    leaseMs: options.leaseMs ?? DEFAULT_STORE.leaseMs,
    sweepMs: options.sweepMs ?? DEFAULT_STORE.sweepMs,
    keepMs: options.keepMs ?? DEFAULT_STORE.keepMs,
  };
  positive("createErrand", settings);
  if (settings.leaseMs < 500)
    throw new ErrandError(
      "config-invalid",
      `createErrand: leaseMs: expected at least 500, got ${settings.leaseMs}: a shorter lease is lost to a garbage collection.`,
    );
  return { ...settings, prefix };
}

function positive(where: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values))
    if (!Number.isInteger(value) || value < 1)
      throw new ErrandError(
        "config-invalid",
        `${where}: ${name}: expected a whole number of at least 1, got ${String(value)}.`,
      );
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined)
    throw new ErrandError(
      "config-missing",
      `createErrand: this needs the option "${name}". A process that only enqueues can do without it.`,
    );
  return value;
}

function lazy<T>(make: () => T): { (): T; made(): T | undefined } {
  let made: T | undefined;
  return Object.assign(() => (made ??= make()), { made: () => made });
}
