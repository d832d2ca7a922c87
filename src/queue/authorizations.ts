/** The accounts that unfinished runs need: pages of their records, and what an operator can do about many of them at once. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { ErrandError } from "../core/errors.ts";
import { accountGate, parseAccountGate } from "../core/gate.ts";
import { checkIdentifier } from "../core/identifier.ts";
import { guidance, type NextAction } from "../core/needs.ts";
import type { NeedReason } from "../core/run.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { REMIND } from "./scripts/remind.ts";
import type { Store } from "./store.ts";

export interface AuthorizationFilter {
  readonly identifier?: string;
  readonly connection?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** One account that unfinished runs need. Times: Redis ms. */
export interface Authorization {
  readonly identifier: string;
  readonly connection: string;
  /** As it was last seen. */
  readonly reason: NeedReason;
  readonly action: NextAction;
  /** One sentence for the user, and what the operator can know and do. */
  readonly forUser: string;
  readonly forOperator: string;
  /** Unfinished runs that need it; some of them may be looking at it just now. */
  readonly runs: number;
  /** When the first of them began to. */
  readonly since: number;
  readonly lastLookAt: number;
  /** Nothing while no run waits for it, because those that did look at it just now. */
  readonly nextLookAt?: number;
  readonly reminders: number;
  readonly nextReminderAt?: number;
  /** The last link that was made since the account is needed. Nothing: the user has not opened the way to it. */
  readonly link?: LinkState;
}

/** What became of a link; the link itself bears the user's consent and is told to nobody but that user. Wall-clock ms of the app. */
export interface LinkState {
  readonly madeAt: number;
  /** When the user's browser was last sent to it. */
  readonly openedAt: number;
  /** Scalekit's end of it. The next click makes another one, earlier than that. */
  readonly expiresAt: number;
  /** When the user came back with it, whatever came of it. */
  readonly returnedAt?: number;
}

export interface AuthorizationPage {
  readonly authorizations: readonly Authorization[];
  /** There may be more. */
  readonly cursor?: string;
}

/** Those that are waited for longest come first. @throws ErrandError `option-invalid`, `identifier-invalid` */
export async function listAuthorizations(store: Store, filter: AuthorizationFilter): Promise<AuthorizationPage> {
  const { gates, ...next } = await gatesOf(store, "parked", filter);
  return { authorizations: await readRecords(store, gates), ...next };
}

/** What was done, on one page. With a cursor: there may be more, and the same call with it goes on. */
export type Done<T> = T & { readonly cursor?: string };

/** `active`: their runs go on. `unseen`: Scalekit could not be asked about them. */
export interface Checked {
  readonly checked: number;
  readonly active: number;
  readonly unseen: number;
}

/** Looks at the accounts now. @throws ErrandError `option-invalid`, `identifier-invalid` */
export async function checkAll(
  store: Store,
  gatekeeper: Gatekeeper,
  filter: AuthorizationFilter,
): Promise<Done<Checked>> {
  const { gates, ...next } = await gatesOf(store, "authorizations.check", filter);
  const unseen = await gatekeeper.sweep(gates, new AbortController().signal);
  const left = await readRecords(store, gates);
  return { checked: gates.length, active: gates.length - left.length, unseen, ...next };
}

export interface Reminded {
  readonly reminded: number;
}

/** Each user is told once more what he has to do. @throws ErrandError `option-invalid`, `identifier-invalid` */
export async function remindAll(store: Store, nonce: string, filter: AuthorizationFilter): Promise<Done<Reminded>> {
  const { gates, ...next } = await gatesOf(store, "authorizations.remind", filter);
  const [reminded] = gates.length === 0 ? [0] : await store.run(REMIND, nonce, ...gates);
  return { reminded: Number(reminded), ...next };
}

export interface Cancelled {
  readonly cancelled: number;
}

/**
 * Ends the runs that need the accounts of the filter, which must name some: at most `limit` runs a call.
 * @throws ErrandError `option-invalid`, `identifier-invalid`
 */
export async function cancelAll(
  store: Store,
  cancel: (run: string) => Promise<boolean>,
  filter: AuthorizationFilter,
): Promise<Done<Cancelled>> {
  const { identifier, connection, limit = LIMIT } = filter;
  if (identifier === undefined && connection === undefined)
    throw new ErrandError(
      "option-invalid",
      "authorizations.cancel: expected an identifier, a connection, or both: whose runs to end.",
    );
  const { gates, ...next } = await gatesOf(store, "authorizations.cancel", filter);
  let cancelled = 0;
  for (const gate of gates) {
    for await (const run of uncancelled(store, gate)) {
      // Those that are left are found again: this page is the next one as well.
      if (cancelled === limit) return { cancelled, cursor: filter.cursor ?? "0" };
      if (await cancel(run).catch(falseIfGone)) cancelled++;
    }
  }
  return { cancelled, ...next };
}

const LIMIT = 50;
const SLICE = 100;

/** Runs that need the account and are not cancelled yet. Those that end meanwhile leave the list, so it is read from its start again. */
async function* uncancelled({ redis, prefix }: Store, gate: string): AsyncGenerator<string, void, void> {
  const given = new Set<string>();
  for (let start = 0; ;) {
    const runs = await redis.zrange(`${prefix}auth:${gate}:n`, String(start), String(start + SLICE - 1));
    const flags = await Promise.all(runs.map((run) => redis.hget(`${prefix}run:${run}`, "cancel")));
    const left = runs.filter((run, i) => flags[i] === null && !given.has(run));
    for (const run of left) {
      given.add(run);
      yield run;
    }
    if (runs.length < SLICE && left.length === 0) return;
    start = left.length === 0 ? start + SLICE : 0;
  }
}

function falseIfGone(error: unknown): boolean {
  if (error instanceof ErrandError && error.code === "run-unknown") return false;
  throw error;
}

interface GatePage {
  readonly gates: readonly string[];
  readonly cursor?: string;
}

/** By the most selective index there is; a second condition is checked on the gate's name. */
async function gatesOf(store: Store, where: string, filter: AuthorizationFilter): Promise<GatePage> {
  const { identifier, connection, limit = LIMIT, cursor } = checked(where, filter);
  const gate = identifier !== undefined && connection !== undefined ? accountGate(identifier, connection) : undefined;
  const index =
    identifier !== undefined
      ? `auths:identifier:${encodeURIComponent(identifier)}`
      : connection !== undefined
        ? `auths:connection:${encodeURIComponent(connection)}`
        : "auths";
  if (gate !== undefined) {
    const found = await store.redis.zscore(`${store.prefix}${index}`, gate);
    return { gates: found === null ? [] : [gate] };
  }
  const after = cursor === undefined ? "-inf" : `(${cursor}`;
  const page = await store.redis.zrange(
    `${store.prefix}${index}`,
    after,
    "+inf",
    "BYSCORE",
    "LIMIT",
    0,
    limit,
    "WITHSCORES",
  );
  const gates = page.filter((_, i) => i % 2 === 0);
  return { gates, ...(gates.length === limit && { cursor: page.at(-1) ?? "" }) };
}

const FILTER: OptionNames<AuthorizationFilter> = { identifier: true, connection: true, limit: true, cursor: true };

function checked(where: string, filter: AuthorizationFilter): AuthorizationFilter {
  checkOptionNames(where, filter, FILTER);
  const { identifier, connection, limit = LIMIT, cursor } = filter;
  const wrong = (text: string): ErrandError => new ErrandError("option-invalid", `${where}: ${text}`);
  if (identifier !== undefined) checkIdentifier(identifier);
  if (connection !== undefined && (typeof connection !== "string" || connection === ""))
    throw wrong("connection: expected the name of a Scalekit connection.");
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw wrong(`limit: expected a whole number from 1 to 1000, got ${String(limit)}.`);
  if (cursor !== undefined && !/^\d{1,16}$/.test(cursor))
    throw wrong("cursor: expected the cursor of an earlier page.");
  return filter;
}

const FIELDS = ["reason", "since", "looked", "reminded", "link-made", "link-given", "link-ends", "link-back"] as const;

function linkOf([made, given, ends, back]: readonly (string | null)[]): { readonly link?: LinkState } {
  if (typeof made !== "string" || made === "") return {};
  const link = { madeAt: Number(made), openedAt: Number(given), expiresAt: Number(ends) };
  return { link: { ...link, ...(typeof back === "string" && back !== "" && { returnedAt: Number(back) }) } };
}

/** One that nobody needs any more has no record. */
async function readRecords({ redis, prefix, options }: Store, gates: readonly string[]): Promise<Authorization[]> {
  const pipeline = redis.pipeline();
  for (const gate of gates) {
    const connection = gate.slice(gate.lastIndexOf("/") + 1);
    pipeline.hmget(`${prefix}auth:${gate}`, ...FIELDS);
    pipeline.zcard(`${prefix}auth:${gate}:n`);
    pipeline.zscore(`${prefix}sweep:${connection}`, gate);
    pipeline.zscore(`${prefix}looks`, `sweep:${connection}`);
    pipeline.zscore(`${prefix}looks`, `remind:${gate}`);
  }
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
  return gates.flatMap((gate, i) => {
    const [fields, runs, inRound, round, reminder] = replies.slice(5 * i, 5 * i + 5);
    const [reason, since, looked, reminded, ...link] = fields as (string | null)[];
    const account = parseAccountGate(gate);
    if (typeof reason !== "string" || account === undefined) return [];
    const { action, user, operator } = guidance(reason as NeedReason, account.connection);
    return [
      {
        ...account,
        reason: reason as NeedReason,
        action,
        forUser: user,
        forOperator: operator,
        runs: Number(runs),
        since: Number(since),
        lastLookAt: Number(looked),
        ...(inRound !== null &&
          round !== null && { nextLookAt: nextLook(Number(inRound), Number(round), options.sweepMs) }),
        reminders: Number(reminded),
        ...(reminder !== null && { nextReminderAt: Number(reminder) }),
        ...linkOf(link),
      },
    ];
  });
}

/** The first round of the connection that comes when the gate is in it. */
function nextLook(inRound: number, round: number, sweepMs: number): number {
  return round + Math.ceil(Math.max(0, inRound - round) / sweepMs) * sweepMs;
}
