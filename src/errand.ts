/** The composition root: puts adapters behind ports, checks what was configured, and hands out the public API. */
import { pino } from "pino";
import type { Agent, TypedAgent } from "./core/agent.ts";
import { registerAgents } from "./core/agents.ts";
import { checkManifest } from "./core/manifest.ts";
import type { Limits } from "./core/limits.ts";
import type { SeenAccount } from "./core/waiting.ts";
import {
  type AuthorizationHandlerOptions,
  type ErrandOptions,
  required,
  storeOptions,
  type WebhookHandlerOptions,
  type WorkerOptions,
  refuseStray,
  WORKER,
} from "./options.ts";
import { needProfile } from "./models/protocols.ts";
import {
  chance,
  clock,
  cronTimes,
  openScalekit,
  openShard,
  type Shard,
  startScheduler,
  startWorker,
  workerName,
} from "./parts.ts";
import {
  type AuthorizationFilter,
  type AuthorizationPage,
  cancelAll,
  type Cancelled,
  checkAll,
  type Checked,
  type Done,
  listAuthorizations,
  remindAll,
  type Reminded,
} from "./queue/authorizations.ts";
import {
  type ApprovalFilter,
  type ApprovalPage,
  type Consent,
  decide,
  type DecideParts,
  type Denial,
  listApprovals,
} from "./queue/approvals.ts";
import { coolKey } from "./loop/cool.ts";
import {
  type BudgetOwner,
  type BudgetRaise,
  type BudgetView,
  enqueueBounds,
  raiseBudget,
  viewBudget,
} from "./queue/budgets.ts";
import { turnstile } from "./loop/turnstile.ts";
import { CANCELS_AT_ONCE, cancelRun } from "./queue/canceller.ts";
import { connect } from "./queue/connect.ts";
import { redisCooling } from "./queue/cooling.ts";
import { raiseRun } from "./queue/raiser.ts";
import type { ErrandWorker } from "./queue/crew.ts";
import { createGatekeeper } from "./queue/gatekeeper.ts";
import { type RunHandle, runHandle } from "./queue/handle.ts";
import { openHints } from "./queue/hints.ts";
import { listRuns, type RunFilter, type RunPage } from "./queue/lister.ts";
import { pinoLog } from "./queue/log.ts";
import type { EnqueueBounds } from "./queue/enqueue-bounds.ts";
import { createProducer, type EnqueueOptions } from "./queue/producer.ts";
import { redisLooks } from "./queue/looks.ts";
import { createReader } from "./queue/reader.ts";
import {
  answerUnknown,
  type GivenAnswer,
  listUnknowns,
  type UnknownFilter,
  type UnknownPage,
} from "./queue/unknowns.ts";
import { type LineFilter, listLines, type WaitingLines } from "./queue/lines.ts";
import { redisSwitches } from "./queue/switches.ts";
import { redisWeights } from "./queue/weights.ts";
import { createSchedules } from "./queue/schedules.ts";
import { digest } from "./queue/shift.ts";
import { redisStates } from "./queue/states.ts";
import { knownTargets, type SwitchActions, switchActions } from "./switch-actions.ts";
import { type WeightActions, weightActions } from "./weight-actions.ts";
import { openSources } from "./tool-sources.ts";
import { type ScheduleActions, scheduleActions } from "./schedule-actions.ts";
import { createChecker } from "./tools/check.ts";
import { connectUrl, createAuthorization } from "./scalekit/callback.ts";
import { accountStatus } from "./scalekit/status.ts";
import { createWebhook } from "./scalekit/webhook.ts";

export interface Errand extends SwitchActions, WeightActions {
  /** @throws ErrandError `agent-unknown`, `input-invalid`, `identifier-invalid`, `idempotency-conflict`, `redis-…` */
  enqueue<Given, Input, Output>(
    agent: TypedAgent<Given, Input, Output>,
    options: EnqueueOptions<Given>,
  ): Promise<RunHandle<Output>>;
  enqueue(agent: string, options: EnqueueOptions<unknown>): Promise<RunHandle<unknown>>;
  /** Runs, newest first, by status, agent and identifier. */
  runs(filter?: RunFilter): Promise<RunPage>;
  /** Tool calls of which nobody knows whether they were executed, oldest first: for a person to find out and `answer`. */
  unknowns(filter?: UnknownFilter): Promise<UnknownPage>;
  /** The accounts that unfinished runs need: who has to do what, since when, and for how many runs. Longest waited for first. */
  parked(filter?: AuthorizationFilter): Promise<AuthorizationPage>;
  readonly authorizations: AuthorizationActions;
  readonly approvals: ApprovalActions;
  /** What an identifier or a tenant has used today, by `createErrand({ budgets })`. @throws ErrandError `option-invalid`, `redis-…` */
  budget(owner: BudgetOwner): Promise<BudgetView>;
  /** Gives more for the rest of the day; runs that wait for its end go on. @throws ErrandError `option-invalid`, `redis-…` */
  raiseBudget(owner: BudgetOwner, more: BudgetRaise): Promise<void>;
  /**
   * Says that a model profile works again: the bill is paid, the key is right. Its runs go on now instead of at the next look.
   * @returns whether it was stopped or cooling down. @throws ErrandError `option-invalid`, `redis-…`
   */
  reopen(profile: string): Promise<boolean>;
  /** Agents that run at times of their own, for each user. */
  readonly schedules: ScheduleActions;
  /** Who waits for a slot, in the order of their turns, and what keeps them. @throws ErrandError `option-invalid`, `redis-…` */
  lines(filter?: LineFilter): Promise<WaitingLines>;
  /** A run by its id, from any process. */
  run(id: string): RunHandle<unknown>;
  /**
   * Starts working in this process. `queues: []` only wakes and fires schedules; with `wake: false` it needs no models and no Scalekit.
   * @throws ErrandError `config-invalid`, `config-missing`
   */
  worker(options?: WorkerOptions): ErrandWorker;
  /** The handler for the links that users click and for their return: mount it at `authorization.baseUrl`. */
  authorizationHandler(options: AuthorizationHandlerOptions): (request: Request) => Promise<Response>;
  /**
   * The receiver of Scalekit's webhooks: mount it for POST at the path that Scalekit's dashboard knows. It shortens the wait for the
   * next look; the looks are a worker's. What it is not given here comes from the option `webhook`.
   * @throws ErrandError `config-missing`, `config-invalid`
   */
  webhookHandler(options?: WebhookHandlerOptions): (request: Request) => Promise<Response>;
  /** The app's own URL that leads a user to a link that works; it never goes stale. */
  connectUrl(connection: string): string;
  /**
   * How the user's account stands now. Changes nothing.
   * @throws ErrandError `identifier-invalid`, `connection-unknown`, `scalekit-auth`, `scalekit-unavailable`
   */
  account(identifier: string, connection: string): Promise<SeenAccount>;
  /** Looks at the account now and lets the runs that wait for it go on if it is ACTIVE. @returns whether it was */
  checkAccount(identifier: string, connection: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Calls that need a person's word before they are made (`needsApproval`). */
export interface ApprovalActions {
  /** Those that wait for it, oldest first. @throws ErrandError `option-invalid`, `identifier-invalid`, `redis-…` */
  list(filter?: ApprovalFilter): Promise<ApprovalPage>;
  /**
   * The call is made, once, as it was asked for or with `args` instead; the run goes on.
   * @throws ErrandError `approval-unknown`, `approval-over`, `input-invalid`, `run-unknown`, `redis-…`
   */
  approve(id: string, given?: Consent): Promise<void>;
  /** The call is not made; the model is told so. @throws ErrandError `approval-unknown`, `approval-over`, `run-unknown`, `redis-…` */
  deny(id: string, given?: Denial): Promise<void>;
}

/** What can be done about many accounts at once, a page a call: with a `cursor` in the answer, the same call with it goes on. */
export interface AuthorizationActions {
  /** Looks at the accounts now; runs whose accounts are ACTIVE go on. @throws ErrandError `option-invalid`, `redis-…` */
  check(filter?: AuthorizationFilter): Promise<Done<Checked>>;
  /** Tells users once more what they have to do: `authorization.reminded`, `manual`. @throws ErrandError `option-invalid`, `redis-…` */
  remind(filter?: AuthorizationFilter): Promise<Done<Reminded>>;
  /** Ends the runs that need the accounts of this identifier, connection or both. @throws ErrandError `option-invalid`, `redis-…` */
  cancel(filter: AuthorizationFilter): Promise<Done<Cancelled>>;
}

/** @throws ErrandError `config-invalid`, `agent-invalid`; nothing is connected or checked over the wire yet */
export function createErrand(options: ErrandOptions): Errand {
  const agents = registerAgents(options.agents, options.models && Object.keys(options.models));
  const log = pinoLog(options.logger ?? pino({ name: "errand", level: "warn" }, pino.destination(2)));
  const settings = storeOptions(options);
  const manifest =
    options.manifest === undefined ? undefined : checkManifest(options.manifest, "createErrand: manifest");
  const app = openShard(connect(options.redis, false), settings, log);
  const hints = openHints(app.store, (error) => log.warn("hints.error", { error: error.name }));
  const reader = createReader(app.store, hints, app.connection.reach);
  const bounds: EnqueueBounds = (whose, now) => enqueueBounds(options.budgets ?? {}, whose, now);
  const producer = createProducer(app.store, app.tickets, chance, (whose) => bounds(whose, clock.now()));
  const scalekit = lazy(() => openScalekit(required(options.scalekit, "scalekit"), manifest));
  const tools = lazy(() => openSources(agents.all, scalekit()));
  const gatekeeper = lazy(() => createGatekeeper(app.gates, scalekit().accounts, log));
  const crew = new Set<ErrandWorker>();
  const { reach } = app.connection;

  const soon = turnstile(CANCELS_AT_ONCE);
  const cancel = (run: string): Promise<boolean> =>
    soon(() => reach(() => cancelRun(app.store, { journal: app.journal, clock, chance, worker: workerName() }, run)));
  const answer = (given: GivenAnswer): Promise<void> =>
    reach(() => answerUnknown(app.store, app.tickets, reader, given));
  const raise = (run: string, limits: Partial<Limits>, by?: string): Promise<void> =>
    reach(() => raiseRun({ journal: app.journal, clock, chance, worker: workerName() }, run, limits, by));
  const { budgets = {} } = options;
  const handle = (run: string): RunHandle<unknown> => runHandle(run, reader, { cancel, answer, raise });

  const check = createChecker();
  const deciding: DecideParts = {
    store: app.store,
    tickets: app.tickets,
    reader,
    hash: digest,
    check: (tool, args) => check(tool.hash, tool.parameters, args),
  };

  const began = (worker: ErrandWorker): ErrandWorker => {
    crew.add(worker);
    return worker;
  };
  const schedules = createSchedules({ store: app.store, tickets: app.tickets, agents, cronTimes, bounds, chance });

  const errand: Errand = {
    enqueue: async (agent: Agent | string, given: EnqueueOptions<unknown>) =>
      handle(await reach(() => producer.create(agents.need(agent), given))) as RunHandle<never>,
    runs: (filter = {}) => reach(() => listRuns(app.store, filter)),
    lines: (filter = {}) => reach(() => listLines(app.store, filter)),
    ...weightActions(redisWeights(app.store), reach),
    ...switchActions(redisSwitches(app.store, app.tickets, knownTargets(agents)), reach),
    run: handle,
    schedules: scheduleActions({ schedules, agents, reach, handle, cancel }),
    unknowns: (filter = {}) => reach(() => listUnknowns(app.store, reader, filter)),
    approvals: {
      list: (filter = {}) => reach(() => listApprovals(app.store, reader, filter)),
      approve: (id, given = {}) => reach(() => decide(deciding, id, "approved", given)),
      deny: (id, given = {}) => reach(() => decide(deciding, id, "denied", given)),
    },
    parked: (filter = {}) => reach(() => listAuthorizations(app.store, filter)),
    authorizations: {
      check: (filter = {}) => reach(() => checkAll(app.store, gatekeeper(), filter)),
      remind: (filter = {}) => reach(() => remindAll(app.store, chance.nonce(), filter)),
      cancel: (filter) => reach(() => cancelAll(app.store, cancel, filter)),
    },
    budget: (owner) => reach(() => viewBudget(app.store, budgets, owner)),
    raiseBudget: (owner, more) => reach(() => raiseBudget(app.store, budgets, owner, more, chance.nonce())),
    reopen: (profile) =>
      reach(() => redisCooling(app.store).reopen(coolKey.model(needProfile("reopen", profile, options.models)))),
    worker: (given = {}) => {
      refuseStray("worker", given, WORKER);
      const { models, authorization, budgets, callsPerMinute, onAlarm } = options;
      const on = (): Shard => openShard(connect(options.redis, true), settings, log);
      if (given.queues?.length === 0 && given.wake === false)
        return began(startScheduler(agents, bounds, on(), given, log));
      const needs = {
        models: required(models, "models"),
        scalekit: scalekit(),
        toolbox: tools(),
        authorization,
        budgets,
        callsPerMinute,
        onAlarm,
      };
      return began(startWorker(agents, needs, on(), given, log));
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
    webhookHandler: (given = {}) => {
      const { secrets = [], environmentId } = { ...options.webhook, ...given };
      const looks = redisLooks(app.store);
      return createWebhook({
        secrets,
        ...(environmentId !== undefined && { environmentId }),
        looks: { ask: (account, message) => reach(() => looks.ask(account, message)) },
        clock,
        log,
      });
    },
    account: (identifier, connection) => accountStatus(scalekit().accounts, identifier, connection),
    checkAccount: (identifier, connection) => gatekeeper().lookAt(identifier, connection),
    close: async () => {
      await Promise.all(Array.from(crew, (worker) => worker.close()));
      await hints.close();
      await app.release();
      await tools.made()?.close();
      await scalekit.made()?.close();
    },
  };
  return errand;
}

function lazy<T>(make: () => T): { (): T; made(): T | undefined } {
  let made: T | undefined;
  return Object.assign(() => (made ??= make()), { made: () => made });
}
