/** What `createErrand` and `worker` take, and the checks of it. */
import type { RedisOptions } from "ioredis";
import type { Logger } from "pino";
import type { Agent } from "./core/agent.ts";
import type { AuthorizationEvent } from "./core/authorization.ts";
import { type CallRates, checkCallRates } from "./core/call-rates.ts";
import { type Budgets, checkBudgets } from "./core/days.ts";
import { ErrandError } from "./core/errors.ts";
import { type OptionNames, strayOption } from "./core/option-names.ts";
import { MOST_LIVE } from "./core/turns.ts";
import { DEFAULT_MASS_LOSS, type MassLoss } from "./core/losses.ts";
import type { GivenManifest } from "./core/manifest.ts";
import type { ModelProfile } from "./models/protocols.ts";
import type { ModelAlarm } from "./ports/allowance.ts";
import type { Durability } from "./queue/replicas.ts";
import { DEFAULT_STORE, type StoreOptions } from "./queue/store.ts";
import type { ScalekitOptions } from "./scalekit/client.ts";

export interface AuthorizationSettings {
  /** Where the app serves the authorization handler, such as `https://app.example.com/errand`. */
  readonly baseUrl: string;
  /** ms after a user was first asked, when to remind him; default 1 and 3 days. None: `[]`. */
  readonly remindAfter?: readonly number[];
  /**
   * Told what users have to do, by one of the processes that wake. At least once: `event.id` stays the same when it is told again.
   * When it throws, rejects, or takes more than 10 s, it is told again after 15 s, 1 min, 4 min, 16 min, and then every hour, 10 times
   * in all; no other event waits for that.
   */
  readonly onEvent?: (event: AuthorizationEvent) => void | Promise<void>;
}

export interface ErrandOptions {
  /** URL, or options of ioredis. */
  readonly redis: string | RedisOptions;
  /** Needed by workers and by the authorization handler, not by a process that only enqueues. */
  readonly scalekit?: ScalekitOptions;
  /** Profile → how to reach its models. An agent's `model` is `profile/model`. Needed by workers. */
  readonly models?: Readonly<Record<string, ModelProfile>>;
  readonly agents: readonly Agent[];
  /** The reviewed effects of tools: what stands in errand.tools.json, which `loadConfig` finds by itself. */
  readonly manifest?: GivenManifest;
  /** What all keys in Redis start with; one per environment that shares a Redis. Default `errand`. */
  readonly prefix?: string;
  readonly authorization?: AuthorizationSettings;
  /** Who may send webhooks; needed by `webhookHandler`. */
  readonly webhook?: WebhookHandlerOptions;
  /**
   * Live runs that one identifier may have at once, in all queues; default 5. Live: a worker has it, or may take it now. What is above
   * waits in the identifier's own line. An agent may have a cap of its own. These caps hold for all processes that share the keys; the
   * worker that was started last says them.
   */
  readonly perIdentifier?: number;
  /** Live runs that one tenant may have at once; its identifiers take turns. Default: no cap. */
  readonly perTenant?: number;
  /** Live runs of all; tenants, and identifiers without one, take turns. Default: no cap. */
  readonly maxLive?: number;
  /** ms; how long a worker owns a run without renewal. Default 30,000. Shorter means faster recovery and more renewals. */
  readonly leaseMs?: number;
  /**
   * ms between two looks at an account that runs wait for, at most, for an hour after a run began to wait; then the looks become rarer,
   * at most ten times that. The user's return and webhooks are looked at at once. Default 60,000.
   */
  readonly sweepMs?: number;
  /**
   * When so many users lose the same connection within so many ms, it is taken for an outage: for `holdMs` no user of it is asked to
   * connect again, and runs wait and look again by themselves. Default 20 accounts within 60,000 ms, held for 900,000. `false`: never.
   */
  readonly massLoss?: Partial<MassLoss> | false;
  /** ms that an ended run is kept; default 7 days. */
  readonly keepMs?: number;
  /**
   * Before a tool is called, its intent must be on as many replicas of Redis, so that a failover cannot lose it and have the call made
   * again. While there are too few, no tool is called: the attempt counts as not executed, and is made again after a wait. Costs a round
   * trip to the replicas for each call. Results are not waited for: one that a failover loses is told as unknown. Default: no replica.
   */
  readonly durability?: Durability;
  /** What each identifier and each tenant may use on a day. Tokens and money are kept aside before each model call. Default: no limit. */
  readonly budgets?: Budgets;
  /**
   * Calls of one identifier's tools on a connection in any minute, of all its runs and workers together: `{ gmail: 60, "*": 300 }`. A run
   * over it parks until there is room. Default: no limit of ours; a provider's own is obeyed in any case.
   */
  readonly callsPerMinute?: CallRates;
  /**
   * Told when a provider says that our money is used up or our key is wrong: nobody asks that profile any more, but one run at a time
   * that looks whether it is over. By the worker that found out, once, beside an error in the log (`model.stopped`).
   */
  readonly onAlarm?: (alarm: ModelAlarm) => void;
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
  /** Whether this process also fires schedules; default true. Some process must, and it must know their agents. */
  readonly tick?: boolean;
  /** ms between two looks for ticks that are due, of all processes together; default 500. */
  readonly tickEveryMs?: number;
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

export interface WebhookHandlerOptions {
  /** The signing secret of Scalekit's dashboard, `whsec_…`; two while it is changed: the new one and the old one. */
  readonly secrets?: readonly string[];
  /** `env_…`: events of another environment are refused. Default: any that signs with the secret. */
  readonly environmentId?: string;
}

const ERRAND: OptionNames<ErrandOptions> = {
  redis: true,
  scalekit: true,
  models: true,
  agents: true,
  manifest: true,
  prefix: true,
  authorization: true,
  webhook: true,
  perIdentifier: true,
  perTenant: true,
  maxLive: true,
  leaseMs: true,
  sweepMs: true,
  massLoss: true,
  keepMs: true,
  durability: true,
  budgets: true,
  callsPerMinute: true,
  onAlarm: true,
  logger: true,
};
const AUTHORIZATION: OptionNames<AuthorizationSettings> = { baseUrl: true, remindAfter: true, onEvent: true };
export const WORKER: OptionNames<WorkerOptions> = {
  concurrency: true,
  queues: true,
  wakeEveryMs: true,
  wake: true,
  tick: true,
  tickEveryMs: true,
};
const DURABILITY: OptionNames<Durability> = { replicas: true, timeoutMs: true };

/** @throws ErrandError `config-invalid` */
export function refuseStray(where: string, given: object, known: object): void {
  const stray = strayOption(given, known);
  if (stray !== undefined) throw new ErrandError("config-invalid", `${where}: ${stray}`);
}

export type Settings = StoreOptions & { readonly prefix: string; readonly massLoss: MassLoss | undefined };

/** @throws ErrandError `config-invalid` */
export function storeOptions(options: ErrandOptions): Settings {
  refuseStray("createErrand", options, ERRAND);
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
  const caps = {
    perIdentifier: settings.perIdentifier,
    ...(options.perTenant !== undefined && { perTenant: options.perTenant }),
    ...(options.maxLive !== undefined && { maxLive: options.maxLive }),
  };
  positive("createErrand", caps, MOST_LIVE);
  if (settings.leaseMs < 500)
    throw new ErrandError(
      "config-invalid",
      `createErrand: leaseMs: expected at least 500, got ${settings.leaseMs}: a shorter lease is lost to a garbage collection.`,
    );
  const { identifier, tenant } = checkBudgets(options.budgets);
  checkCallRates(options.callsPerMinute);
  const countParked = identifier?.parked !== undefined || tenant?.parked !== undefined;
  if (options.onAlarm !== undefined && typeof options.onAlarm !== "function")
    throw new ErrandError(
      "config-invalid",
      `createErrand: onAlarm: expected a function, got ${typeof options.onAlarm}.`,
    );
  const durability = options.durability && checkDurability(options.durability, settings.leaseMs);
  return {
    ...settings,
    ...caps,
    agentCaps: new Map(
      options.agents.flatMap(({ name, perIdentifier: own }) => (own === undefined ? [] : [[name, own]])),
    ),
    remindAfterMs: remindAfter(options.authorization),
    prefix,
    massLoss: massLossOptions(options.massLoss),
    ...(countParked && { countParked }),
    ...(durability !== undefined && { durability }),
  };
}

function massLossOptions(given: ErrandOptions["massLoss"] = {}): MassLoss | undefined {
  if (given === false) return undefined;
  if (typeof given !== "object" || given === null)
    throw new ErrandError(
      "config-invalid",
      `createErrand: massLoss: expected { accounts, withinMs, holdMs } or false, got ${String(given)}.`,
    );
  refuseStray("createErrand: massLoss", given, DEFAULT_MASS_LOSS);
  const { accounts, withinMs, holdMs } = { ...DEFAULT_MASS_LOSS, ...given };
  positive("createErrand: massLoss", { accounts, withinMs, holdMs });
  if (accounts < 2)
    throw new ErrandError(
      "config-invalid",
      "createErrand: massLoss: accounts: expected at least 2, got 1: one user who leaves is no outage. To turn it off: massLoss: false.",
    );
  return { accounts, withinMs, holdMs };
}

/** @returns when to remind */
function remindAfter(given: Partial<AuthorizationSettings> = {}): readonly number[] {
  refuseStray("createErrand: authorization", given, AUTHORIZATION);
  const { remindAfter: after = DEFAULT_STORE.remindAfterMs, onEvent } = given;
  const refuse = (name: string, expected: string, got: unknown): never => {
    throw new ErrandError(
      "config-invalid",
      `createErrand: authorization.${name}: expected ${expected}, got ${JSON.stringify(got) ?? typeof got}.`,
    );
  };
  if (onEvent !== undefined && typeof onEvent !== "function") refuse("onEvent", "a function", onEvent);
  const ascends = (list: readonly number[]): boolean =>
    Array.isArray(list) && list.every((ms, i) => Number.isInteger(ms) && ms > (list[i - 1] ?? 0));
  return ascends(after) ? after : refuse("remindAfter", "whole numbers of ms, each greater than the one before", after);
}

/** A commit may wait for the WAIT under way and for its own: within half of the lease, or it is lost. */
function checkDurability(given: Durability, leaseMs: number): Required<Durability> {
  refuseStray("createErrand: durability", given, DURABILITY);
  const { replicas, timeoutMs } = given;
  const most = Math.floor(leaseMs / 4);
  const known = { replicas, timeoutMs: timeoutMs ?? Math.min(1_000, most) };
  positive("createErrand: durability", known);
  if (known.timeoutMs > most)
    throw new ErrandError(
      "config-invalid",
      `createErrand: durability: timeoutMs: expected at most ${most}, a quarter of leaseMs (${leaseMs}), got ${known.timeoutMs}: the lease would end while replicas are waited for.`,
    );
  return known;
}

/** @throws ErrandError `config-invalid` */
export function positive(where: string, values: Readonly<Record<string, number>>, most?: number): void {
  const expected = most === undefined ? "of at least 1" : `from 1 to ${most}`;
  for (const [name, value] of Object.entries(values))
    if (!Number.isInteger(value) || value < 1 || value > (most ?? Infinity))
      throw new ErrandError(
        "config-invalid",
        `${where}: ${name}: expected a whole number ${expected}, got ${String(value)}.`,
      );
}

/** @throws ErrandError `config-missing` */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined)
    throw new ErrandError(
      "config-missing",
      `createErrand: this needs the option "${name}". A process that only enqueues can do without it.`,
    );
  return value;
}
